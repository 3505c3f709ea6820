import { randomUUID } from 'node:crypto';
import type { Principal } from '#libs/auth';
import { DependencyUnavailable } from '#libs/errors';
import { type Verified, VerifiedCredentials } from './verified-credentials.js';

describe('VerifiedCredentials', () => {
  let now: number;
  let checks: number;
  let verified: VerifiedCredentials;
  let graced: number;
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
    graced = 0;
    verified = withGrace(300_000);
  });

  const valid =
    (expiresInMs = 600_000, who = principal) =>
    (): Promise<Verified> => {
      checks += 1;
      return Promise.resolve({ principal: who, expiresAt: new Date(now + expiresInMs) });
    };
  const settled = () => new Promise((resolve) => setImmediate(resolve));
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

  it('looks again in the meantime for whoever goes on asking, so that he never waits', async () => {
    await verified.verify('a', valid());
    now += 3_500;
    expect(await verified.verify('a', valid())).toBe(principal);
    await verified.verify('a', valid());
    expect(checks).toBe(2);
    now += 4_999;
    // Longer than five seconds after the first look, and not after the second.
    expect(await verified.verify('a', refused)).toBe(principal);
  });

  it('believes nobody any longer whom a look in the meantime has refused', async () => {
    await verified.verify('a', valid());
    now += 3_500;
    expect(await verified.verify('a', refused)).toBe(principal);
    await settled();
    await expect(verified.verify('a', refused)).rejects.toThrow('refused');
  });

  it('goes on believing when nobody could look in the meantime, until five seconds are over', async () => {
    await verified.verify('a', valid());
    now += 3_500;
    const away = () => Promise.reject(new DependencyUnavailable('postgres'));
    expect(await verified.verify('a', away)).toBe(principal);
    await settled();
    now += 1_499;
    expect(await verified.verify('a', refused)).toBe(principal);
    now += 1;
    await expect(verified.verify('a', refused)).rejects.toThrow('refused');
  });

  it('does not bring back by a look in the meantime what was revoked while it was made', async () => {
    await verified.verify('a', valid());
    now += 3_500;
    const { promise, resolve } = Promise.withResolvers<void>();
    await verified.verify('a', () => promise.then(valid()));
    verified.forget(() => true);
    resolve();
    await settled();
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

  describe('while the database is away', () => {
    const away = () => Promise.reject(new Error('away'));

    beforeEach(() => verified.verify('a', valid()));

    it('believes who was found in it shortly before, and looks again for each request', async () => {
      now += 299_999;
      expect(await verified.verify('a', away)).toBe(principal);
      expect(await verified.verify('a', away)).toBe(principal);
      expect(graced).toBe(2);
      now += 1;
      await expect(verified.verify('a', away)).rejects.toThrow('away');
    });

    it('still believes after a moment in which nobody had time to look', async () => {
      await verified.verify('a', valid());
      now += 5_000;
      const busy = new DependencyUnavailable('postgres', { reason: 'queue-timeout' });
      await expect(verified.verify('a', () => Promise.reject(busy))).rejects.toBe(busy);
      expect(await verified.verify('a', away)).toBe(principal);
    });

    it('believes nobody whom it does not know', async () => {
      await expect(verified.verify('b', away)).rejects.toThrow('away');
      expect(graced).toBe(0);
    });

    it('never believes a credential past its own end', async () => {
      await verified.verify('b', valid(60_000));
      now += 60_000;
      await expect(verified.verify('b', away)).rejects.toThrow('away');
    });

    it('does not count from the last time that it believed', async () => {
      for (let i = 0; i < 9; i++) {
        now += 30_000;
        await verified.verify('a', away);
      }
      now += 30_000;
      await expect(verified.verify('a', away)).rejects.toThrow('away');
    });

    it('believes nobody whom it saw revoked, also when he was being looked at just then', async () => {
      now += 10_000;
      const looked = Promise.withResolvers<Verified>();
      const underWay = verified.verify('a', () => looked.promise);
      verified.forget((known) => known.credentialId === principal.credentialId);
      looked.reject(new Error('away'));
      await expect(underWay).rejects.toThrow('away');
      await expect(verified.verify('a', away)).rejects.toThrow('away');
    });

    it('takes what the database says for the truth, and forgets whom it does not know', async () => {
      now += 10_000;
      await expect(verified.verify('a', refused)).rejects.toThrow('refused');
      await expect(verified.verify('a', away)).rejects.toThrow('away');
    });

    it('believes nobody when no grace is given', async () => {
      verified = withGrace(0);
      await verified.verify('a', valid());
      now += 10_000;
      await expect(verified.verify('a', away)).rejects.toThrow('away');
    });

    it('gives all who wait for one look the same answer', async () => {
      now += 10_000;
      const all = await Promise.all(Array.from({ length: 10 }, () => verified.verify('a', away)));
      expect(new Set(all)).toEqual(new Set([principal]));
    });
  });

  function withGrace(graceMs: number): VerifiedCredentials {
    const isOutage = (error: unknown) => (error as Error).message === 'away';
    return new VerifiedCredentials({ graceMs, isOutage, onGrace: () => void (graced += 1) }, () => now);
  }
});
