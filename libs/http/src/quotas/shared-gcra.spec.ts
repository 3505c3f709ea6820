import fc from 'fast-check';
import { sumOfMetric } from '#libs/observability';
import { MemoryQuotaStore } from '../../../../test/support/memory-quota-store.js';
import { settled, VirtualClock } from '../../../../test/support/virtual-clock.js';
import { Gcra } from './gcra.js';
import { SharedGcra } from './shared-gcra.js';

const MINUTE = 60_000;
/** Until every process has heard of every other one. */
const MET_MS = 3_000;
const EXCHANGE_MS = 50;

const want = (key: string, limit: number, { cost = 1, burst = limit } = {}) => ({ key, limit, burst, cost });

async function processesOf(count: number, { latencyMs = 1, expected = count } = {}) {
  const clock = new VirtualClock();
  const store = new MemoryQuotaStore(clock, latencyMs);
  let away = 0;
  const processes = Array.from({ length: count }, (_, i) => {
    const options = { processes: expected, clock, onAway: () => (away += 1) };
    return new SharedGcra(store.doorOf(i), options);
  });
  for (const process of processes) process.start();
  await clock.advance(MET_MS);
  return { clock, store, processes, timesAway: () => away };
}

/** How many of many requests at once pass. */
async function passedAtOnce(process: SharedGcra, clock: VirtualClock, demand: ReturnType<typeof want>) {
  let passed = 0;
  for (let i = 0; i < 3 * demand.burst; i++) {
    const taking = Promise.resolve(process.take([demand]));
    await clock.advance(2);
    if (!(await taking).isBlocked) passed += 1;
  }
  return passed;
}

describe('a quota that processes share', () => {
  it('is not asked for by a request as long as its process’s part of it lasts, and then decided by the store', async () => {
    const { clock, processes } = await processesOf(4);
    const [process] = processes;
    const demand = want('a', 600, { burst: 40 });
    for (let i = 0; i < 10; i++) expect(process!.take([demand])).toMatchObject({ isBlocked: false });
    const asked = process!.take([demand]);
    expect(asked).toBeInstanceOf(Promise);
    await clock.advance(2);
    expect(await asked).toMatchObject({ isBlocked: false, totalHits: 11 });
    expect(process!.take([demand])).toMatchObject({ isBlocked: false });
  });

  it('is one quota wherever it is used up, but for an n-th of a burst at who had not heard of it, which lacks later', async () => {
    const { clock, processes } = await processesOf(3);
    const demand = want('a', 30);
    const passed = [];
    for (const process of processes) passed.push(await passedAtOnce(process, clock, demand));
    expect(passed).toEqual([30, 10, 10]);
    // Twenty too many, at one in two seconds.
    await clock.advance(38_000);
    expect(await passedAtOnce(processes[2]!, clock, demand)).toBe(0);
    await clock.advance(4_000);
    expect(await passedAtOnce(processes[2]!, clock, demand)).toBeGreaterThan(0);
  });

  it('refuses with the time after which a unit is there, wherever it was used', async () => {
    const { clock, processes } = await processesOf(2);
    const demand = want('a', 1);
    expect(await passedAtOnce(processes[0]!, clock, demand)).toBe(1);
    const refused = processes[1]!.take([demand]);
    await clock.advance(2);
    const { isBlocked, timeToBlockExpire } = await refused;
    expect(isBlocked).toBe(true);
    await clock.advance(timeToBlockExpire * 1_000 + 5);
    const next = processes[1]!.take([demand]);
    await clock.advance(2);
    expect((await next).isBlocked).toBe(false);
  });

  it('lets no more through in any time than its rate, two bursts and what comes back between exchanges', async () => {
    const arrival = fc.record({
      pauseMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 400 })),
      process: fc.nat(),
      cost: fc.integer({ min: 1, max: 6 }),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 1, max: 1_200 }),
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 30 }),
        fc.array(arrival, { minLength: 50, maxLength: 150 }),
        async (count, limit, most, latencyMs, arrivals) => {
          const burst = Math.min(limit, most);
          const { clock, processes } = await processesOf(count, { latencyMs });
          const passed: { at: number; cost: number }[] = [];
          for (const { pauseMs, process, cost: asked } of arrivals) {
            if (pauseMs > 0) await clock.advance(pauseMs);
            const cost = Math.min(asked, burst);
            const at = clock.now();
            void Promise.resolve(processes[process % count]!.take([want('a', limit, { cost, burst })])).then(
              ({ isBlocked }) => isBlocked || passed.push({ at, cost }),
            );
          }
          await clock.advance(MINUTE);
          const laterMs = 2 * EXCHANGE_MS + 4 * latencyMs;
          for (const [i, { at: from }] of passed.entries()) {
            let sum = 0;
            for (const { at, cost } of passed.slice(i)) {
              sum += cost;
              expect(sum).toBeLessThanOrEqual(((at - from + laterMs) * limit) / MINUTE + 2 * burst + 1);
            }
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it('lets as much through as in one process when there is only one', async () => {
    const { clock, processes } = await processesOf(1);
    const alone = new Gcra(clock);
    const demand = want('a', 60, { burst: 10 });
    const passed = { alone: 0, shared: 0 };
    for (let i = 0; i < 300; i++) {
      await clock.advance(i % 7 === 0 ? 2_003 : 157);
      const shared = Promise.resolve(processes[0]!.take([demand]));
      if (!alone.takeNow([demand]).isBlocked) passed.alone += 1;
      await clock.advance(2);
      if (!(await shared).isBlocked) passed.shared += 1;
      expect(Math.abs(passed.alone - passed.shared)).toBeLessThanOrEqual(1);
    }
    expect(passed.alone).toBeGreaterThan(50);
    expect(passed.alone).toBeLessThan(200);
  });

  it('knows at every process what was charged at one', async () => {
    const { clock, processes } = await processesOf(2);
    processes[0]!.charge(want('a', 60, { cost: 55 }));
    await clock.advance(2 * EXCHANGE_MS);
    processes[1]!.takeNow([want('a', 60)]);
    await clock.advance(2 * EXCHANGE_MS);
    expect(await passedAtOnce(processes[1]!, clock, want('a', 60))).toBe(4);
    processes[0]!.charge(want('a', 60, { cost: -20 }));
    await clock.advance(2 * EXCHANGE_MS);
    expect(await passedAtOnce(processes[0]!, clock, want('a', 60))).toBeGreaterThanOrEqual(20);
  });

  it('costs the store one exchange for all that was taken meanwhile', async () => {
    const { clock, store, processes } = await processesOf(2);
    const before = store.exchanges;
    for (let i = 0; i < 400; i++) void processes[0]!.take([want(`key ${i}`, 600)]);
    await clock.advance(2 * EXCHANGE_MS);
    expect(store.exchanges - before).toBeLessThanOrEqual(3);
    expect(store.wholeAt.size).toBe(400);
  });
});

describe('without its store, a quota', () => {
  it('is divided at once among the processes that were there, each of which has a part and nobody all of it', async () => {
    const { clock, store, processes, timesAway } = await processesOf(4, { expected: 1 });
    store.lose();
    expect(await sumOfMetric('navigator_quota_part')).toBe(0.25);
    let passed = 0;
    for (const process of processes) {
      const before = passed;
      while (!(process.take([want('a', 240, { burst: 20 })]) as { isBlocked: boolean }).isBlocked)
        passed += 1;
      expect(passed - before).toBe(5);
    }
    await clock.advance(MINUTE);
    for (const process of processes)
      while (!(process.take([want('b', 2, { burst: 2 })]) as { isBlocked: boolean }).isBlocked) passed += 1;
    expect(passed).toBe(24);
    expect(timesAway()).toBeGreaterThan(4);
  });

  it('is divided as the settings say until the store was reached once', async () => {
    const clock = new VirtualClock();
    const store = new MemoryQuotaStore(clock);
    store.lose();
    const process = new SharedGcra(store.doorOf(0), { processes: 3, clock });
    process.start();
    await clock.advance(MET_MS);
    let passed = 0;
    while (!(process.take([want('a', 60, { burst: 12 })]) as { isBlocked: boolean }).isBlocked) passed += 1;
    expect(passed).toBe(4);
    store.comeBack();
    await clock.advance(MET_MS);
    // What it let through counts for all three: the twelve are used.
    expect(await passedAtOnce(process, clock, want('b', 60, { burst: 12 }))).toBe(12);
  });

  it('is whole again by itself, and an empty store learns from the processes what was used', async () => {
    const { clock, store, processes } = await processesOf(2);
    const demand = want('a', 20);
    expect(await passedAtOnce(processes[0]!, clock, demand)).toBe(20);
    store.lose();
    await clock.advance(500);
    store.comeBack();
    await clock.advance(500);
    expect(await sumOfMetric('navigator_quota_part')).toBe(1);
    // Nothing is free that was not before, and the other process learns of it from the store.
    expect(await passedAtOnce(processes[0]!, clock, demand)).toBe(0);
  });

  it('decides by itself what it had asked the store for when that went', async () => {
    const { clock, store, processes } = await processesOf(4);
    const demand = want('a', 240, { burst: 3 });
    const asked = processes[0]!.take([demand]);
    store.lose();
    await clock.advance(5);
    expect(await asked).toMatchObject({ isBlocked: false });
    await settled();
  });
});
