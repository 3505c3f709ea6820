import { zipFile } from '../../../../../test/support/zip-file.js';
import { ZipArchive } from './zip-archive.js';

const failing = (code: string) => expect.objectContaining({ code });

describe('ZipArchive', () => {
  it('reads entries by their names', () => {
    const archive = ZipArchive.open(zipFile({ 'a.xml': '<a/>', 'b/': '', 'b/c.txt': 'hello' }));
    expect(archive.get('b/c.txt').toString()).toBe('hello');
    expect(archive.read('b/')).toHaveLength(0);
    expect(archive.read('d')).toBeUndefined();
    expect(() => archive.get('d')).toThrow(failing('corrupt-file'));
  });

  it('refuses an entry that is larger than it says', () => {
    const bytes = zipFile([{ name: 'a', content: 'hello '.repeat(1_000), claimedBytes: 10 }]);
    expect(() => ZipArchive.open(bytes)).toThrow(failing('too-complex'));
  });

  it('refuses an archive whose inner archive is a bomb', () => {
    const bomb = zipFile([{ name: 'zeros', content: Buffer.alloc(8_000_000) }]);
    expect(() => ZipArchive.open(zipFile({ 'word/embeddings/a.bin': bomb }))).toThrow(failing('too-complex'));
  });

  it('counts what all inner archives unpack to together', () => {
    const layer = zipFile(
      Array.from({ length: 60 }, (_, i) => ({ name: `${i}`, content: Buffer.alloc(900_000, i + 1) })),
    );
    const outer = zipFile(Array.from({ length: 5 }, (_, i) => ({ name: `${i}.zip`, content: layer })));
    expect(() => ZipArchive.open(zipFile({ 'one.zip': layer }))).not.toThrow();
    expect(() => ZipArchive.open(outer)).toThrow(failing('too-complex'));
  });

  it('refuses archives in archives in archives in archives', () => {
    const nested = (depth: number): Buffer =>
      depth === 0 ? zipFile({ a: 'x' }) : zipFile({ 'inner.zip': nested(depth - 1) });
    expect(() => ZipArchive.open(nested(2))).not.toThrow();
    expect(() => ZipArchive.open(nested(3))).toThrow(failing('too-complex'));
  });

  it('leaves alone what only begins like an archive', () => {
    const archive = ZipArchive.open(zipFile({ 'odd.bin': 'PK\u0003\u0004 and nothing else' }));
    expect(archive.get('odd.bin').toString()).toContain('nothing');
  });
});
