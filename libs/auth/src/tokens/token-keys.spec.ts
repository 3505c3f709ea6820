import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TokenKeys, TokenKeysUnusable } from './token-keys.js';

describe('TokenKeys', () => {
  let folder: string;
  const file = () => join(folder, 'token-keys.json');

  beforeEach(async () => {
    folder = join(await mkdtemp(join(tmpdir(), 'token-keys-')), 'secrets');
  });
  afterEach(() => rm(join(folder, '..'), { recursive: true, force: true }));

  it('makes a key on the first start, readable by its owner alone', async () => {
    const keys = await TokenKeys.loadOrCreate(folder);
    expect(keys.find(keys.signing.kid)).toBeDefined();
    expect((await stat(file())).mode & 0o777).toBe(0o600);
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
  });

  it('finds the same key on the next start', async () => {
    const first = await TokenKeys.loadOrCreate(folder);
    const second = await TokenKeys.loadOrCreate(folder);
    expect(second.signing.kid).toBe(first.signing.kid);
  });

  it('gives all processes that start together the same key, and leaves no other file', async () => {
    const all = await Promise.all(Array.from({ length: 20 }, () => TokenKeys.loadOrCreate(folder)));
    expect(new Set(all.map((keys) => keys.signing.kid)).size).toBe(1);
    expect(await readdir(folder)).toEqual(['token-keys.json']);
  });

  it('signs with the first key of the file and accepts all of them, so that keys can be exchanged', async () => {
    const old = await TokenKeys.loadOrCreate(folder);
    const { keys: oldKeys } = JSON.parse(await readFile(file(), 'utf8'));
    await rm(file());
    const fresh = await TokenKeys.loadOrCreate(folder);
    const { keys: freshKeys } = JSON.parse(await readFile(file(), 'utf8'));
    await writeFile(file(), JSON.stringify({ keys: [...freshKeys, ...oldKeys] }));

    const both = await TokenKeys.loadOrCreate(folder);
    expect(both.signing.kid).toBe(fresh.signing.kid);
    expect(both.find(old.signing.kid)).toBeDefined();
  });

  it('knows no key by another name, whatever the name tries', async () => {
    const keys = await TokenKeys.loadOrCreate(folder);
    for (const kid of ['', '../token-keys.json', "' or 1=1 --", '__proto__', 'constructor'])
      expect(keys.find(kid)).toBeUndefined();
  });

  it('refuses a file that everybody may read', async () => {
    await TokenKeys.loadOrCreate(folder);
    await chmod(file(), 0o644);
    await expect(TokenKeys.loadOrCreate(folder)).rejects.toThrow(/everybody may read it/);
  });

  it.each(['', 'not json', '{"keys":[]}', '{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}'])(
    'refuses a damaged file (%j) instead of making another key',
    async (text) => {
      await TokenKeys.loadOrCreate(folder);
      await writeFile(file(), text);
      await expect(TokenKeys.loadOrCreate(folder)).rejects.toThrow(TokenKeysUnusable);
      expect(await readFile(file(), 'utf8')).toBe(text);
    },
  );
});
