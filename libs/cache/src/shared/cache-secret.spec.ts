import { chmod, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CacheSecretUnusable, loadOrCreateSecret } from './cache-secret.js';

describe('the secret of the cache', () => {
  let parent: string;
  const folder = () => join(parent, 'secrets');
  const file = () => join(folder(), 'cache-secret');

  beforeEach(async () => {
    parent = await mkdtemp(join(tmpdir(), 'cache-secret-'));
  });
  afterEach(() => rm(parent, { recursive: true, force: true }));

  it('is made on the first start, readable by its owner alone, and found on the next', async () => {
    const first = await loadOrCreateSecret(folder());
    expect(first).toHaveLength(32);
    expect((await stat(file())).mode & 0o777).toBe(0o600);
    expect((await stat(folder())).mode & 0o777).toBe(0o700);
    expect(await loadOrCreateSecret(folder())).toEqual(first);
  });

  it('is the same for all processes that start together, and leaves no other file', async () => {
    const all = await Promise.all(Array.from({ length: 20 }, () => loadOrCreateSecret(folder())));
    expect(new Set(all.map((secret) => secret.toString('hex'))).size).toBe(1);
    expect(await readdir(folder())).toEqual(['cache-secret']);
  });

  it('is refused when everybody may read it', async () => {
    await loadOrCreateSecret(folder());
    await chmod(file(), 0o644);
    await expect(loadOrCreateSecret(folder())).rejects.toThrow(/everybody may read it/);
  });

  it.each(['', 'abcd', 'not hexadecimal at all'])('is refused when it is damaged (%j)', async (text) => {
    await loadOrCreateSecret(folder());
    await writeFile(file(), text);
    await expect(loadOrCreateSecret(folder())).rejects.toThrow(CacheSecretUnusable);
  });
});
