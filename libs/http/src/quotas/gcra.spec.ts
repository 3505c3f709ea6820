import fc from 'fast-check';
import { Gcra } from './gcra.js';

const MINUTE = 60_000;

/** One unit of a quota that may be used up at once, unless said otherwise. */
const want = (key: string, limit: number, { cost = 1, burst = limit } = {}) => ({ key, limit, burst, cost });

describe('a quota', () => {
  let now = 0;
  const quota = () => new Gcra({ now: () => now });
  beforeEach(() => (now = 0));

  it('may be used up at once, and comes back unit by unit', () => {
    const gcra = quota();
    for (let used = 1; used <= 3; used++)
      expect(gcra.takeNow([want('a', 3)])).toMatchObject({ totalHits: used, isBlocked: false });
    expect(gcra.takeNow([want('a', 3)])).toMatchObject({
      totalHits: 4,
      isBlocked: true,
      timeToBlockExpire: 20,
      timeToExpire: 60,
    });
    now = 20_000;
    expect(gcra.takeNow([want('a', 3)]).isBlocked).toBe(false);
    expect(gcra.takeNow([want('a', 3)]).timeToBlockExpire).toBe(20);
  });

  it('is not lowered by what was refused', () => {
    const gcra = quota();
    gcra.takeNow([want('a', 1)]);
    for (let i = 0; i < 100; i++) gcra.takeNow([want('a', 1)]);
    now = MINUTE;
    expect(gcra.takeNow([want('a', 1)]).isBlocked).toBe(false);
  });

  it('is each key’s own', () => {
    const gcra = quota();
    gcra.takeNow([want('a', 1)]);
    expect(gcra.takeNow([want('b', 1)]).isBlocked).toBe(false);
  });

  it('takes what a request costs, and lets one through that costs more than all', () => {
    const gcra = quota();
    expect(gcra.takeNow([want('a', 10, { cost: 4 })])).toMatchObject({ totalHits: 4, isBlocked: false });
    expect(gcra.takeNow([want('a', 10, { cost: 7 })])).toMatchObject({
      isBlocked: true,
      timeToBlockExpire: 6,
    });
    expect(gcra.takeNow([want('b', 10, { cost: 1_000 })])).toMatchObject({ totalHits: 10, isBlocked: false });
  });

  it('says how long to wait for a unit without taking one', () => {
    const gcra = quota();
    expect(gcra.waitMs(want('a', 2))).toBe(0);
    for (let i = 0; i < 2; i++) gcra.takeNow([want('a', 2)]);
    expect(gcra.waitMs(want('a', 2))).toBe(30_000);
    expect(gcra.waitMs(want('a', 2))).toBe(30_000);
  });

  it('may be used at once only as far as its burst', () => {
    const gcra = quota();
    const take = () => gcra.takeNow([want('a', 60, { burst: 10 })]);
    for (let i = 0; i < 10; i++) expect(take().isBlocked).toBe(false);
    expect(take()).toMatchObject({ isBlocked: true, timeToBlockExpire: 1, timeToExpire: 10 });
    expect(gcra.waitMs(want('a', 60, { burst: 10 }))).toBe(1_000);
    now = 1_000;
    expect(gcra.waitMs(want('a', 60, { burst: 10 }))).toBe(0);
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
            if (!gcra.takeNow([want('a', limit, { cost, burst })]).isBlocked) passed.push({ at: now, cost });
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
        while (!gcra.takeNow([want('a', limit)]).isBlocked);
        now += gcra.takeNow([want('a', limit)]).timeToBlockExpire * 1_000;
        expect(gcra.takeNow([want('a', limit)]).isBlocked).toBe(false);
      }),
    );
  });

  it('forgets keys whose quota is whole again', () => {
    const gcra = quota();
    for (let i = 0; i < 50; i++) gcra.takeNow([want(`a-${i}`, 1)]);
    now = 2 * MINUTE;
    gcra.takeNow([want('last', 1)]);
    expect(gcra.size).toBe(1);
  });

  it('forgets the key that was not used for the longest time when there are too many', () => {
    const gcra = quota();
    gcra.takeNow([want('busy', 2)]);
    gcra.takeNow([want('idle', 1)]);
    gcra.takeNow([want('busy', 2)]);
    for (let i = 0; i < 99_999; i++) gcra.takeNow([want(`a-${i}`, 1)]);
    expect(gcra.size).toBe(100_000);
    expect(gcra.waitMs(want('busy', 2))).toBeGreaterThan(0);
    expect(gcra.waitMs(want('idle', 1))).toBe(0);
  });

  it('of several is taken with the others or not at all, and the one that refuses is named', () => {
    const gcra = quota();
    const own = want('own', 10);
    const common = want('common', 2);
    expect(gcra.takeNow([own, common])).toMatchObject({ isBlocked: false, demand: common, totalHits: 1 });
    gcra.takeNow([common]);
    expect(gcra.takeNow([own, common])).toMatchObject({ isBlocked: true, demand: common });
    expect(gcra.takeNow([own])).toMatchObject({ isBlocked: false, totalHits: 2 });
  });

  it('is charged with what was done already, as a debt of a minute at most, and can be given back', () => {
    const gcra = quota();
    gcra.charge(want('a', 60, { cost: 1_000, burst: 10 }));
    expect(gcra.waitMs(want('a', 60, { burst: 10 }))).toBe(51_000);
    gcra.charge(want('b', 10, { cost: 4 }));
    gcra.charge(want('b', 10, { cost: -3 }));
    expect(gcra.takeNow([want('b', 10)])).toMatchObject({ totalHits: 2 });
    gcra.charge(want('b', 10, { cost: -30 }));
    expect(gcra.takeNow([want('b', 10)])).toMatchObject({ totalHits: 1 });
  });

  it('lets an n-th through with a weight of n, and one unit at least', () => {
    const gcra = quota();
    gcra.weight = 4;
    const passed = (key: string, limit: number, burst: number) => {
      let count = 0;
      for (; !gcra.takeNow([want(key, limit, { burst })]).isBlocked; count++);
      return count;
    };
    expect(passed('a', 240, 20)).toBe(5);
    now += 1_000;
    expect(passed('a', 240, 20)).toBe(1);
    expect(passed('b', 2, 2)).toBe(1);
    expect(gcra.waitMs(want('b', 2))).toBe(2 * MINUTE);
    expect(gcra.takeNow([want('c', 240, { cost: 20, burst: 20 })]).isBlocked).toBe(false);
  });
});
