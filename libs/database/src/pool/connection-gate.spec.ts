import { ConnectionGate } from './connection-gate.js';

describe('ConnectionGate', () => {
  let now: number;
  let timers: { at: number; callback: () => void }[];
  let attempts: number[];
  let outcome: () => Promise<void>;
  let gate: ConnectionGate;

  beforeEach(() => {
    now = 0;
    timers = [];
    attempts = [];
    outcome = () => Promise.resolve();
    const clock = {
      now: () => now,
      after(ms: number, callback: () => void) {
        timers.push({ at: now + ms, callback });
        return () => undefined;
      },
    };
    const connectOnce = () => {
      attempts.push(now);
      return outcome();
    };
    gate = new ConnectionGate(connectOnce, { clock, random: () => 0 });
  });

  const refused = () => Promise.reject(Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }));
  const starting = () => Promise.reject(Object.assign(new Error('starting'), { code: '57P03' }));
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  async function passTime(ms: number): Promise<void> {
    const end = now + ms;
    for (;;) {
      await settled();
      const due = timers.findIndex(({ at }) => at <= end);
      if (due < 0) break;
      const [{ at, callback }] = timers.splice(due, 1) as [(typeof timers)[number]];
      now = at;
      callback();
    }
    now = end;
  }

  it('lets everybody pass, without an attempt, while nothing is wrong', async () => {
    await Promise.all([gate.pass(), gate.pass()]);
    expect(attempts).toEqual([]);
  });

  it('lets one attempt decide for all once a connection was lost', async () => {
    gate.doubt();
    await Promise.all(Array.from({ length: 50 }, () => gate.pass()));
    await gate.pass();
    expect(attempts).toHaveLength(1);
  });

  it('tries no more than twice a second, and gives everybody the last error meanwhile', async () => {
    outcome = refused;
    gate.doubt();
    let failures = 0;
    for (; now < 10_000; now += 10) await gate.pass().catch(() => (failures += 1));
    expect(failures).toBe(1_000);
    expect(attempts).toHaveLength(20);
    outcome = () => Promise.resolve();
    await gate.pass();
  });

  it('lets nobody wait beside the next attempt, which may be as silent as the last one', async () => {
    const silence = Promise.withResolvers<void>();
    outcome = () => Promise.reject(new Error('timeout'));
    gate.doubt();
    await expect(gate.pass()).rejects.toThrow('timeout');
    outcome = () => silence.promise;
    now += 500;
    const next = gate.pass();
    await expect(gate.pass()).rejects.toThrow('timeout');
    silence.resolve();
    await next;
    await gate.pass();
    expect(attempts).toEqual([0, 500]);
    // And what is forgotten is not told again.
    gate.doubt();
    await Promise.all([gate.pass(), gate.pass()]);
  });

  it('counts a connection that failed by itself as an attempt', async () => {
    gate.failed(new Error('refused'));
    await expect(gate.pass()).rejects.toThrow('refused');
    expect(attempts).toEqual([]);
    now += 500;
    await gate.pass();
    expect(attempts).toEqual([500]);
  });

  it('waits for a server that is starting', async () => {
    outcome = starting;
    gate.doubt();
    const passed = gate.pass();
    await passTime(1_100);
    outcome = () => Promise.resolve();
    await passTime(500);
    await expect(passed).resolves.toBeUndefined();
    expect(attempts).toEqual([0, 500, 1_000, 1_500]);
  });

  it('waits for one that drops connections, as it does right after a crash', async () => {
    gate.failed(Object.assign(new Error('reset'), { code: 'ECONNRESET' }));
    const passed = gate.pass();
    await passTime(500);
    await expect(passed).resolves.toBeUndefined();
    gate.doubt();
    await gate.pass();
    expect(attempts).toEqual([500, 500]);
  });

  it('does not wait for it for ever', async () => {
    outcome = starting;
    gate.doubt();
    const passed = gate.pass();
    const failure = expect(passed).rejects.toThrow('starting');
    await passTime(10_000);
    await failure;
    expect(attempts.at(-1)).toBeLessThanOrEqual(2_500);
    // It had its time; who comes now is told at once.
    gate.pass().catch(() => undefined);
    await settled();
    await expect(gate.pass()).rejects.toThrow('starting');
  });
});
