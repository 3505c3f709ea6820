import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FirstPassword } from './first-password.js';

describe('the password of the first administrator', () => {
  let folder: string;
  let first: FirstPassword;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'first-password-'));
    first = FirstPassword.in(folder);
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('stands in a file that only its owner may read', async () => {
    expect(await first.read()).toBeUndefined();
    expect(await first.keep('made up')).toBe('made up');
    expect(await first.read()).toBe('made up');
    expect((await stat(first.path)).mode & 0o777).toBe(0o600);
    expect((await stat(join(folder, 'secrets'))).mode & 0o777).toBe(0o700);
  });

  it('is one for all processes that start together, and for the start after a crash', async () => {
    const kept = await Promise.all(Array.from({ length: 10 }, (_, i) => first.keep(`made up ${i}`)));
    expect(new Set(kept).size).toBe(1);
    expect(await first.keep('another one')).toBe(kept[0]);
    expect(await readdir(join(folder, 'secrets'))).toEqual(['first-administrator-password']);
  });

  it('is forgotten for good', async () => {
    await first.keep('made up');
    await first.forget();
    await first.forget();
    expect(await first.read()).toBeUndefined();
    expect(await first.keep('another one')).toBe('another one');
  });
});
