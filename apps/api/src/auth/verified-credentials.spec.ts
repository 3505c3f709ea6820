import { randomUUID } from 'node:crypto';
import type { Principal } from '#libs/auth';
import { type Verified, VerifiedCredentials } from './verified-credentials.js';

describe('VerifiedCredentials', () => {
  let now: number;
  let checks: number;
  let verified: VerifiedCredentials;
  const principal: Principal = {
    tenantId: randomUUID(),
    userId: randomUUID(),
    role: 'member',
    via: 'session',
    credentialId: randomUUID(),
  };

  beforeEach(() => {
    now = 1_000_000;
    checks = 0;
    verified = new VerifiedCredentials(() => now);
  });

  const valid =
    (expiresInMs = 600_000, who = principal) =>
    (): Promise<Verified> => {
      checks += 1;
      return Promise.resolve({ principal: who, expiresAt: new Date(now + expiresInMs) });
    };
  const refused = () => {
    checks += 1;
    return Promise.reject(new Error('refused'));
  };

  it('believes a credential for five seconds, so a revocation is seen after that', async () => {
    expect(await verified.verify('a', valid())).toBe(principal);
    now += 4_999;
    expect(await verified.verify('a', refused)).toBe(principal);
    now += 1;
    await expect(verified.verify('a', refused)).rejects.toThrow('refused');
  });

  it('never believes a credential past its own end', async () => {
    await verified.verify('a', valid(1_000));
    now += 999;
    await verified.verify('a', refused);
    now += 1;
    await expect(verified.verify('a', refused)).rejects.toThrow('refused');
  });

  it('checks each credential for itself', async () => {
    await verified.verify('a', valid());
    await expect(verified.verify('b', refused)).rejects.toThrow('refused');
    await expect(verified.verify('A', refused)).rejects.toThrow('refused');
  });

  it('shares a check under way', async () => {
    const all = await Promise.all(Array.from({ length: 100 }, () => verified.verify('a', valid())));
    expect(checks).toBe(1);
    expect(new Set(all)).toEqual(new Set([principal]));
  });

  it('never remembers a refusal', async () => {
    await expect(verified.verify('a', refused)).rejects.toThrow();
    expect(await verified.verify('a', valid())).toBe(principal);
    expect(checks).toBe(2);
  });

  it('forgets at once what it is told to', async () => {
    const other = { ...principal, credentialId: randomUUID() };
    await verified.verify('a', valid());
    await verified.verify('b', valid(600_000, other));
    verified.forget((known) => known.credentialId === principal.credentialId);
    await expect(verified.verify('a', refused)).rejects.toThrow('refused');
    expect(await verified.verify('b', refused)).toBe(other);
  });

  it('does not believe a check that was under way when its credential was revoked', async () => {
    const looked = Promise.withResolvers<Verified>();
    const underWay = verified.verify('a', () => looked.promise);
    verified.forget((known) => known.credentialId === principal.credentialId);
    looked.resolve({ principal, expiresAt: new Date(now + 600_000) });
    expect(await underWay).toBe(principal);
    await expect(verified.verify('a', refused)).rejects.toThrow('refused');
  });

  it('holds a bounded number of digests and no credential', async () => {
    for (let i = 0; i < 10_050; i++) await verified.verify(`credential-${i}`, valid());
    const { entries } = verified as unknown as { entries: Map<string, unknown> };
    expect(entries.size).toBe(10_000);
    expect([...entries.keys()].some((key) => key.includes('credential'))).toBe(false);
    expect(await verified.verify('credential-10049', refused)).toBe(principal);
    await expect(verified.verify('credential-0', refused)).rejects.toThrow('refused');
  });
});
