import type { FastifyRequest } from 'fastify';
import { RateLimitGuard, WindowCounters } from './throttling.js';

describe('window counters', () => {
  let now = 0;
  const counters = () => new WindowCounters(() => now);
  beforeEach(() => (now = 0));

  it('let the limit through and block what is above it until the window ends', async () => {
    const storage = counters();
    for (let i = 0; i < 3; i++) expect((await storage.increment('ip', 60_000, 3)).isBlocked).toBe(false);
    now = 15_000;
    await expect(storage.increment('ip', 60_000, 3)).resolves.toEqual({
      totalHits: 4,
      timeToExpire: 45,
      isBlocked: true,
      timeToBlockExpire: 45,
    });
    now = 60_000;
    expect((await storage.increment('ip', 60_000, 3)).totalHits).toBe(1);
  });

  it('count each key by itself', async () => {
    const storage = counters();
    await storage.increment('a', 60_000, 1);
    expect((await storage.increment('b', 60_000, 1)).isBlocked).toBe(false);
  });

  it('forget keys whose window has passed', async () => {
    const storage = counters();
    for (let i = 0; i < 50; i++) await storage.increment(`ip-${i}`, 60_000, 1);
    now = 120_000;
    await storage.increment('last', 60_000, 1);
    expect(sizeOf(storage)).toBe(1);
  });

  it('hold a bounded number of keys and forget the one whose window began first', async () => {
    const storage = counters();
    await storage.increment('renewed', 60_000, 1);
    await storage.increment('first', 120_000, 1);
    now = 60_000;
    await storage.increment('renewed', 60_000, 1);
    for (let i = 0; i < 99_999; i++) await storage.increment(`ip-${i}`, 60_000, 1);
    expect(sizeOf(storage)).toBe(100_000);
    expect((await storage.increment('renewed', 60_000, 1)).totalHits).toBe(2);
    expect((await storage.increment('first', 120_000, 1)).totalHits).toBe(1);
    expect(sizeOf(storage)).toBe(100_000);
  });
});

describe('the rate limit', () => {
  const guard = Object.create(RateLimitGuard.prototype) as unknown as {
    getTracker(request: Pick<FastifyRequest, 'ip'>): Promise<string>;
  };
  const shareOneLimit = async (one: string, other: string) =>
    (await guard.getTracker({ ip: one })) === (await guard.getTracker({ ip: other }));

  it('is shared by the addresses of one /64 of IPv6, and by no others', async () => {
    expect(await shareOneLimit('2001:db8:1:2::9', '2001:db8:1:2:ffff::1')).toBe(true);
    expect(await shareOneLimit('2001:db8:1:2::9', '2001:db8:1:3::9')).toBe(false);
    expect(await shareOneLimit('192.0.2.7', '::ffff:192.0.2.7')).toBe(true);
    expect(await shareOneLimit('192.0.2.7', '192.0.2.8')).toBe(false);
  });
});

const sizeOf = (storage: WindowCounters) =>
  (storage as unknown as { windows: Map<string, unknown> }).windows.size;
