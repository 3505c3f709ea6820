import { DependencyTimeout, DependencyUnavailable } from '#libs/errors';
import { LoginBusy } from '../auth.errors.js';
import { PasswordHasher } from './password-hasher.js';

const QUICK = { memoryKib: 1_024, passes: 1, parallelism: 1 };

describe('PasswordHasher', () => {
  let calls: number;
  const policy = {
    execute: <T>(work: (signal: AbortSignal) => Promise<T>) => {
      calls += 1;
      return work(new AbortController().signal);
    },
  };
  beforeEach(() => (calls = 0));

  it('makes argon2id hashes with the configured cost, each with its own salt', async () => {
    const hasher = await PasswordHasher.create(QUICK, policy);
    const [one, two] = [await hasher.hash('secret sauce'), await hasher.hash('secret sauce')];
    expect(one).toMatch(/^\$argon2id\$v=19\$m=1024,t=1,p=1\$/);
    expect(two).not.toBe(one);
    expect(await hasher.matches(one, 'secret sauce')).toBe(true);
  });

  it('takes a password as it comes: case, spaces and all its characters count', async () => {
    const hasher = await PasswordHasher.create(QUICK, policy);
    const password = ` Pässwörd 🔑${'x'.repeat(240)}`;
    const hash = await hasher.hash(password);
    expect(await hasher.matches(hash, password)).toBe(true);
    for (const other of [password.trim(), password.toLowerCase(), password.slice(0, -1), `${password} `])
      expect(await hasher.matches(hash, other)).toBe(false);
  });

  it('does the same work for an account that does not exist', async () => {
    const hasher = await PasswordHasher.create(QUICK, policy);
    const hash = await hasher.hash('secret sauce');
    calls = 0;
    expect(await hasher.matches(hash, 'wrong')).toBe(false);
    expect(await hasher.matches(undefined, 'wrong')).toBe(false);
    expect(calls).toBe(2);
  });

  it('knows which hashes were made with other parameters', async () => {
    const hash = await (await PasswordHasher.create(QUICK, policy)).hash('secret sauce');
    for (const [change, outdated] of [
      [{}, false],
      [{ memoryKib: 2_048 }, true],
      [{ passes: 2 }, true],
      [{ parallelism: 2 }, true],
    ] as const) {
      const hasher = await PasswordHasher.create({ ...QUICK, ...change }, policy);
      expect(hasher.isOutdated(hash)).toBe(outdated);
    }
  });

  it.each([new DependencyUnavailable('password-hashing'), new DependencyTimeout('password-hashing')])(
    'says that too many are logging in when its policy refuses (%s)',
    async (refusal) => {
      const hasher = await PasswordHasher.create(QUICK, { execute: () => Promise.reject(refusal) });
      await expect(hasher.matches(undefined, 'x')).rejects.toThrow(LoginBusy);
      await expect(hasher.hash('x')).rejects.toMatchObject({ code: 'login-busy', retryAfterMs: 2_000 });
    },
  );

  it('passes any other failure on', async () => {
    const hasher = await PasswordHasher.create(QUICK, policy);
    await expect(hasher.matches('not a hash', 'x')).rejects.not.toBeInstanceOf(LoginBusy);
  });
});
