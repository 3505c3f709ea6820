import { WindowCounters } from './throttling.js';

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
    expect((storage as unknown as { windows: Map<string, unknown> }).windows.size).toBe(1);
  });
});
