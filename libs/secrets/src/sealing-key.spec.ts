import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SealBroken, SealingKey, SealingKeyUnusable } from './sealing-key.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sealing-key-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('SealingKey', () => {
  it('opens what it sealed, also after a restart, and never seals twice the same', async () => {
    const key = await SealingKey.loadOrCreate(folder);
    const [first, second] = [key.seal('pässwörd', 'document-1'), key.seal('pässwörd', 'document-1')];
    expect(first.equals(second)).toBe(false);
    expect(first.toString('latin1')).not.toContain('ssw');
    const restarted = await SealingKey.loadOrCreate(folder);
    expect(restarted.open(first, 'document-1')).toBe('pässwörd');
  });

  it('opens nothing for another owner, with another key, or after a change', async () => {
    const key = await SealingKey.loadOrCreate(folder);
    const sealed = key.seal('secret', 'document-1');
    expect(() => key.open(sealed, 'document-2')).toThrow(SealBroken);
    expect(() => new SealingKey(Buffer.alloc(32, 1)).open(sealed, 'document-1')).toThrow(SealBroken);
    sealed[sealed.length - 1]! ^= 1;
    expect(() => key.open(sealed, 'document-1')).toThrow(SealBroken);
    expect(() => key.open(Buffer.alloc(5), 'document-1')).toThrow(SealBroken);
  });

  it('is one key for processes that start together, readable by its owner only', async () => {
    const keys = await Promise.all(Array.from({ length: 10 }, () => SealingKey.loadOrCreate(folder)));
    for (const key of keys) expect(keys[0]!.open(key.seal('x', 'o'), 'o')).toBe('x');
    expect(await readdir(folder)).toEqual(['sealing-key']);
  });

  it('refuses a file that everybody may read, and one that is no key', async () => {
    await SealingKey.loadOrCreate(folder);
    const path = join(folder, 'sealing-key');
    await chmod(path, 0o644);
    await expect(SealingKey.loadOrCreate(folder)).rejects.toThrow(SealingKeyUnusable);
    await chmod(path, 0o600);
    await writeFile(path, (await readFile(path, 'utf8')).slice(0, 10));
    await expect(SealingKey.loadOrCreate(folder)).rejects.toThrow(SealingKeyUnusable);
  });
});
