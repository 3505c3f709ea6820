import fc from 'fast-check';
import { Gcra } from './gcra.js';

const MINUTE = 60_000;

describe('a quota', () => {
  let now = 0;
  const quota = () => new Gcra({ now: () => now });
  beforeEach(() => (now = 0));

  it('may be used up at once, and comes back unit by unit', () => {
    const gcra = quota();
    for (let used = 1; used <= 3; used++)
      expect(gcra.take('a', MINUTE, 3)).toMatchObject({ totalHits: used, isBlocked: false });
    expect(gcra.take('a', MINUTE, 3)).toMatchObject({
      totalHits: 4,
      isBlocked: true,
      timeToBlockExpire: 20,
      timeToExpire: 60,
    });
    now = 20_000;
    expect(gcra.take('a', MINUTE, 3).isBlocked).toBe(false);
    expect(gcra.take('a', MINUTE, 3).timeToBlockExpire).toBe(20);
  });

  it('is not lowered by what was refused', () => {
    const gcra = quota();
    gcra.take('a', MINUTE, 1);
    for (let i = 0; i < 100; i++) gcra.take('a', MINUTE, 1);
    now = MINUTE;
    expect(gcra.take('a', MINUTE, 1).isBlocked).toBe(false);
  });

  it('is each key’s own', () => {
    const gcra = quota();
    gcra.take('a', MINUTE, 1);
    expect(gcra.take('b', MINUTE, 1).isBlocked).toBe(false);
  });

  it('takes what a request costs, and lets one through that costs more than all', () => {
    const gcra = quota();
    expect(gcra.take('a', MINUTE, 10, { cost: 4 })).toMatchObject({ totalHits: 4, isBlocked: false });
    expect(gcra.take('a', MINUTE, 10, { cost: 7 })).toMatchObject({ isBlocked: true, timeToBlockExpire: 6 });
    expect(gcra.take('b', MINUTE, 10, { cost: 1_000 })).toMatchObject({ totalHits: 10, isBlocked: false });
  });

  it('says how long to wait for a unit without taking one', () => {
    const gcra = quota();
    expect(gcra.waitMs('a', MINUTE, 2)).toBe(0);
    for (let i = 0; i < 2; i++) gcra.take('a', MINUTE, 2);
    expect(gcra.waitMs('a', MINUTE, 2)).toBe(30_000);
    expect(gcra.waitMs('a', MINUTE, 2)).toBe(30_000);
  });

  it('may be used at once only as far as its burst', () => {
    const gcra = quota();
    const take = () => gcra.take('a', MINUTE, 60, { burst: 10 });
    for (let i = 0; i < 10; i++) expect(take().isBlocked).toBe(false);
    expect(take()).toMatchObject({ isBlocked: true, timeToBlockExpire: 1, timeToExpire: 10 });
    expect(gcra.waitMs('a', MINUTE, 60, { burst: 10 })).toBe(1_000);
    now = 1_000;
    expect(gcra.waitMs('a', MINUTE, 60, { burst: 10 })).toBe(0);
    expect(take().isBlocked).toBe(false);
    expect(take().isBlocked).toBe(true);
  });

  it('lets no more through in any period than the quota and a burst, whenever requests come', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 50 }),
        fc.integer({ min: 1, max: 50 }),
        fc.array(fc.tuple(fc.integer({ min: 0, max: 5_000 }), fc.integer({ min: 1, max: 5 })), {
          maxLength: 300,
        }),
        (limit, most, arrivals) => {
          const burst = Math.min(limit, most);
          now = 0;
          const gcra = quota();
          const passed: { at: number; cost: number }[] = [];
          for (const [pauseMs, asked] of arrivals) {
            now += pauseMs;
            const cost = Math.min(asked, burst);
            if (!gcra.take('a', MINUTE, limit, { cost, burst }).isBlocked) passed.push({ at: now, cost });
          }
          for (const { at: from } of passed) {
            const within = passed.filter(({ at }) => at >= from && at < from + MINUTE);
            expect(within.reduce((sum, { cost }) => sum + cost, 0)).toBeLessThanOrEqual(limit + burst);
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  it('is let through exactly after the time that its refusal named', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000 }), fc.integer({ min: 0, max: 1e9 }), (limit, start) => {
        now = start;
        const gcra = quota();
        while (!gcra.take('a', MINUTE, limit).isBlocked);
        now += gcra.take('a', MINUTE, limit).timeToBlockExpire * 1_000;
        expect(gcra.take('a', MINUTE, limit).isBlocked).toBe(false);
      }),
    );
  });

  it('forgets keys whose quota is whole again', () => {
    const gcra = quota();
    for (let i = 0; i < 50; i++) gcra.take(`a-${i}`, MINUTE, 1);
    now = 2 * MINUTE;
    gcra.take('last', MINUTE, 1);
    expect(gcra.size).toBe(1);
  });

  it('forgets the key that was not used for the longest time when there are too many', () => {
    const gcra = quota();
    gcra.take('busy', MINUTE, 2);
    gcra.take('idle', MINUTE, 1);
    gcra.take('busy', MINUTE, 2);
    for (let i = 0; i < 99_999; i++) gcra.take(`a-${i}`, MINUTE, 1);
    expect(gcra.size).toBe(100_000);
    expect(gcra.waitMs('busy', MINUTE, 2)).toBeGreaterThan(0);
    expect(gcra.waitMs('idle', MINUTE, 1)).toBe(0);
  });
});
