import { zipFile as zip } from '../../../../../test/support/zip-file.js';
import { readZipDirectory, unpackEntry } from './zip-directory.js';

const failing = (code: string) => expect.objectContaining({ code });

describe('readZipDirectory', () => {
  it('lists what a file holds without unpacking it', () => {
    const bytes = zip([{ name: 'a.xml' }, { name: 'word/b.xml', content: Buffer.from('hello') }]);
    expect(
      readZipDirectory(bytes).map(({ name, sizeBytes, encrypted }) => [name, sizeBytes, encrypted]),
    ).toEqual([
      ['a.xml', 1, false],
      ['word/b.xml', 5, false],
    ]);
  });

  it.each([
    ['unpacks to a hundred times its size', [{ name: 'a', content: Buffer.alloc(4_000_000) }]],
    ['claims to unpack to more than is allowed', [{ name: 'a', claimedBytes: 0xf000_0000 }]],
    ['holds a path out of the archive', [{ name: '../../etc/passwd' }]],
    ['holds an absolute path', [{ name: '/etc/passwd' }]],
    ['names an entry twice', [{ name: 'a' }, { name: 'a' }]],
    ['has too many entries', Array.from({ length: 10_001 }, (_, i) => ({ name: `${i}` }))],
  ])('refuses an archive that %s', (_, entries) => {
    expect(() => readZipDirectory(zip(entries))).toThrow(failing('too-complex'));
  });

  it('calls an archive without a readable directory corrupt', () => {
    const bytes = zip([{ name: 'a.xml' }]);
    expect(() => readZipDirectory(bytes.subarray(0, 30))).toThrow(failing('corrupt-file'));
    bytes.writeUInt32LE(5, bytes.length - 6);
    expect(() => readZipDirectory(bytes)).toThrow(failing('corrupt-file'));
  });
});

describe('unpackEntry', () => {
  it('unpacks one entry, but not beyond the limit', () => {
    const bytes = zip([{ name: 'a', content: Buffer.from('hello '.repeat(100)) }]);
    const [entry] = readZipDirectory(bytes);
    expect(unpackEntry(bytes, entry!, 1_000).toString()).toContain('hello hello');
    expect(() => unpackEntry(bytes, entry!, 100)).toThrow(failing('too-complex'));
  });
});
