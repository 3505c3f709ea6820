import { VirtualClock } from '../../../../test/support/virtual-clock.js';
import { heapSignal, loopDelaySignal, poolSignal, Pressure, utilisationSignal } from './pressure.js';

const PRIORITIES = ['critical-plus', 'critical', 'sheddable-plus', 'sheddable'] as const;

describe('the pressure of a process', () => {
  let clock: VirtualClock;
  const readings: Record<string, number> = {};
  const started = (...names: string[]) => {
    const signals = names.map((name) => ({ name, read: () => readings[name] ?? 0 }));
    const pressure = new Pressure(signals, { loopDelayMs: 100, clock });
    pressure.start();
    return pressure;
  };
  beforeEach(() => {
    clock = new VirtualClock();
    for (const name of Object.keys(readings)) delete readings[name];
  });

  it('is that of its highest signal, and tells which that is', async () => {
    const pressure = started('heap', 'pool');
    Object.assign(readings, { heap: 0.4, pool: 0.7 });
    await clock.advance(5_000);
    expect(pressure.value).toBeCloseTo(0.7, 2);
    expect(pressure.cause).toBe('pool');
  });

  it('rises fast and falls slowly', async () => {
    const pressure = started('pool');
    readings.pool = 1;
    await clock.advance(1_200);
    expect(pressure.value).toBeGreaterThan(0.9);
    readings.pool = 0;
    await clock.advance(400);
    expect(pressure.value).toBeGreaterThan(0.6);
    await clock.advance(3_000);
    expect(pressure.value).toBeLessThan(0.1);
  });

  it.each([
    [0.79, []],
    [0.85, ['sheddable']],
    [0.9, ['sheddable-plus', 'sheddable']],
    [1.5, ['critical', 'sheddable-plus', 'sheddable']],
    [4, ['critical', 'sheddable-plus', 'sheddable']],
  ])('of %d gives up %j', async (reading, given) => {
    const pressure = started('heap');
    readings.heap = reading;
    await clock.advance(5_000);
    expect(PRIORITIES.filter((priority) => pressure.sheds(priority, 0))).toEqual(given);
  });

  it('gives up the more of what is critical the higher it is, and never all', async () => {
    const pressure = started('heap');
    const share = async (reading: number) => {
      readings.heap = reading;
      await clock.advance(10_000);
      return Array.from({ length: 100 }, (_, i) => pressure.sheds('critical', i / 100)).filter(Boolean)
        .length;
    };
    expect(await share(0.9)).toBe(0);
    const some = await share(1.05);
    expect(some).toBeGreaterThan(10);
    expect(await share(1.2)).toBeGreaterThan(some);
    expect(await share(4)).toBe(90);
  });

  it('is high right after the event loop stood still, before any sample was taken, and soon low again', async () => {
    let now = 0;
    const pressure = new Pressure([], {
      loopDelayMs: 100,
      clock: { now: () => now, after: () => () => undefined },
    });
    pressure.start();
    expect(pressure.sheds('sheddable', 0)).toBe(false);
    now = 2_000;
    expect(pressure.sheds('sheddable', 0)).toBe(true);
    expect(pressure.sheds('critical-plus', 0)).toBe(false);
    expect(pressure.cause).toBe('event-loop');
    pressure.start(); // As the timer does that was late.
    expect(pressure.value).toBe(0);
  });

  it('stays high after the sample that was late', () => {
    let now = 0;
    const timers: (() => void)[] = [];
    const pressure = new Pressure([{ name: 'event-loop', read: () => 0 }], {
      loopDelayMs: 100,
      clock: { now: () => now, after: (_ms, callback) => (timers.push(callback), () => undefined) },
    });
    pressure.start();
    now = 2_000;
    timers.pop()!();
    expect(pressure.sheds('sheddable', 0)).toBe(true);
    expect(pressure.cause).toBe('event-loop');
  });

  it('takes no notice of one short pause', async () => {
    const pressure = started('event-loop');
    readings['event-loop'] = 2;
    await clock.advance(100);
    expect(pressure.sheds('sheddable', 0)).toBe(false);
  });

  it('forgets a stall of any length within two seconds and a half', async () => {
    const pressure = started('event-loop');
    readings['event-loop'] = 10_000;
    await clock.advance(100);
    expect(pressure.sheds('sheddable', 0)).toBe(true);
    readings['event-loop'] = 0;
    await clock.advance(2_500);
    expect(pressure.sheds('sheddable', 0)).toBe(false);
  });

  it('tells its listener of every sample', async () => {
    const seen: number[] = [];
    readings.pool = 0.5;
    const pressure = new Pressure([{ name: 'pool', read: () => readings.pool! }], {
      loopDelayMs: 100,
      onSample: (value) => seen.push(value),
      clock,
    });
    pressure.start();
    await clock.advance(300);
    expect(seen).toHaveLength(3);
    pressure.close();
    await clock.advance(1_000);
    expect(seen).toHaveLength(3);
    expect(clock.pending).toBe(0);
  });
});

describe('the signals of a process', () => {
  it('tell its event loop’s delay, its heap and its pool as shares of what is full', () => {
    const stallUntil = performance.now() + 60;
    const delay = loopDelaySignal(10);
    while (performance.now() < stallUntil);
    expect(delay.read()).toBeGreaterThanOrEqual(0);
    expect(heapSignal().read()).toBeGreaterThan(0);
    expect(heapSignal().read()).toBeLessThan(1);
    expect(poolSignal(() => 125, 250).read()).toBe(0.5);
  });

  it('never shed anything for a loop that is merely busy', () => {
    const utilisation = utilisationSignal();
    const until = performance.now() + 50;
    while (performance.now() < until);
    const reading = utilisation.read();
    expect(reading).toBeGreaterThan(0.5);
    expect(reading).toBeLessThanOrEqual(0.75);
  });
});
