import { calculateJwkThumbprint, importJWK } from 'jose';
import { newTokenKey, type TokenKey, tokenHeader, TokenKeys } from './token-keys.js';

const headerOf = (kid: string) => Buffer.from(JSON.stringify(tokenHeader(kid))).toString('base64url');

describe('TokenKeys', () => {
  let now: number;
  let looks: number;
  let onLook: () => Promise<unknown>;
  let keys: TokenKeys;

  beforeEach(() => {
    now = 1_000_000;
    looks = 0;
    onLook = () => Promise.resolve();
    keys = new TokenKeys(
      async () => {
        looks++;
        await onLook();
      },
      () => now,
    );
  });

  const key = async (times: Partial<TokenKey> = {}): Promise<TokenKey> => ({
    ...(await newTokenKey()),
    signsFrom: now,
    verifiesUntil: Infinity,
    ...times,
  });

  it('names a key by the thumbprint of its public part, and publishes nothing else', async () => {
    const made = await key();
    await keys.replace([made]);
    const [published] = keys.jwks().keys;
    expect(published).toEqual({
      kty: 'OKP',
      crv: 'Ed25519',
      x: made.publicKey,
      kid: made.kid,
      alg: 'EdDSA',
      use: 'sig',
    });
    expect(made.kid).toBe(await calculateJwkThumbprint({ ...published! }));
    expect(JSON.stringify(keys.jwks())).not.toContain(made.privateKey);
    await expect(importJWK({ ...published! })).resolves.toBeDefined();
  });

  it('publishes a key before it signs, and lets the old one verify until its tokens are over', async () => {
    const old = await key({ verifiesUntil: now + 700 });
    const next = await key({ signsFrom: now + 100 });
    await keys.replace([next, old]);
    const published = () => keys.jwks().keys.map(({ kid }) => kid);

    expect(keys.signing.kid).toBe(old.kid);
    expect(published()).toEqual([next.kid, old.kid]);
    now += 100;
    expect(keys.signing.kid).toBe(next.kid);
    expect(keys.find(old.kid)).toBeDefined();
    now += 600;
    expect(keys.find(old.kid)).toBeUndefined();
    expect(await keys.findByHeader(headerOf(old.kid))).toBeUndefined();
    expect(published()).toEqual([next.kid]);
  });

  it('says when a key has gone', async () => {
    const [a, b] = [await key(), await key()];
    expect(await keys.replace([a])).toBe(false);
    expect(await keys.replace([a, b])).toBe(false);
    expect(await keys.replace([b])).toBe(true);
    expect(keys.find(a.kid)).toBeUndefined();
  });

  it('has nothing to sign with when no key is ready, and says so', async () => {
    await keys.replace([await key({ signsFrom: now + 1 })]);
    expect(() => keys.signing).toThrow('There is no key');
  });

  it('looks once a second for a key that another replica may have made', async () => {
    const other = await key();
    onLook = () => keys.replace([other]);
    expect(await keys.findByHeader(headerOf(other.kid))).toBeDefined();
    for (let i = 0; i < 10; i++) await keys.findByHeader(headerOf((await key()).kid));
    expect(looks).toBe(1);
    now += 1_000;
    await keys.findByHeader(headerOf((await key()).kid));
    expect(looks).toBe(2);
  });

  it('knows no key by another name or header, whatever they try, and does not even look', async () => {
    const { kid } = await key();
    await keys.replace([await key()]);
    for (const name of [
      '',
      '../token-keys.json',
      "' or 1=1 --",
      '__proto__',
      'constructor',
      'x'.repeat(4_000),
    ]) {
      expect(keys.find(name)).toBeUndefined();
      expect(await keys.findByHeader(headerOf(name))).toBeUndefined();
    }
    for (const more of [{ alg: 'none' }, { jku: 'https://example.com' }, { crit: ['b64'], b64: false }])
      expect(
        await keys.findByHeader(
          Buffer.from(JSON.stringify({ ...tokenHeader(kid), ...more })).toString('base64url'),
        ),
      ).toBeUndefined();
    expect(looks).toBe(0);
  });
});
