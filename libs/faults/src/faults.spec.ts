import { FatalFailure, Overloaded, TransientFailure } from '#libs/errors';
import { newContext, runInContext } from '#libs/observability';
import type { Clock } from '#libs/resilience';
import { appliedRules, setTag } from './fault-context.js';
import type { NewFaultRule } from './fault-rule.js';
import { Faults } from './faults.js';

/** Time that a test lets pass. */
class ManualClock implements Clock {
  private time = 0;
  private timers: { at: number; callback: () => void }[] = [];
  now = () => this.time;
  after(ms: number, callback: () => void) {
    const timer = { at: this.time + ms, callback };
    this.timers.push(timer);
    return () => void (this.timers = this.timers.filter((other) => other !== timer));
  }
  pass(ms: number) {
    this.time += ms;
    for (const timer of this.timers.filter(({ at }) => at <= this.time)) {
      this.timers = this.timers.filter((other) => other !== timer);
      timer.callback();
    }
  }
}

const rule = (members: Partial<NewFaultRule> = {}): NewFaultRule => ({
  dependency: 'embedder',
  kind: 'error',
  rate: 1,
  seed: 1,
  ttlSeconds: 60,
  by: 'operator',
  reason: 'a test',
  ...members,
});

describe('injected faults', () => {
  let clock: ManualClock;
  let faults: Faults;
  beforeEach(() => {
    clock = new ManualClock();
    faults = new Faults(true, clock);
  });

  const never = new AbortController().signal;
  const call = (target: { dependency: string; operation?: string }, value: unknown = 'fine') =>
    faults.apply(target, () => Promise.resolve(value), never);
  const embed = (value?: unknown) => call({ dependency: 'embedder', operation: 'embed' }, value);
  async function* three() {
    yield* await Promise.resolve(['one', 'two', 'three']);
  }
  async function read(stream: AsyncIterable<unknown>): Promise<unknown[]> {
    const items: unknown[] = [];
    try {
      for await (const item of stream) items.push(item);
    } catch (error) {
      items.push((error as Error).name);
    }
    return items;
  }
  const streamed = () => read(faults.stream({ dependency: 'embedder' }, three, never));

  it('leave every call alone while there is no rule', async () => {
    expect(await embed()).toBe('fine');
    expect(await streamed()).toEqual(['one', 'two', 'three']);
  });

  it('are refused where they were not enabled at start', () => {
    expect(() => new Faults(false).add(rule())).toThrow('not enabled');
  });

  it.each([
    ['transient', TransientFailure],
    ['fatal', FatalFailure],
    ['overload', Overloaded],
  ] as const)('make a call fail in a %s way', async (error, kind) => {
    faults.add(rule({ error, retryAfterMs: 700 }));
    const failure = await embed().catch((thrown: unknown) => thrown);
    expect(failure).toBeInstanceOf(kind);
    if (error === 'overload') expect((failure as Overloaded).retryAfterMs).toBe(700);
  });

  it.each([
    [{ dependency: 'embedder' }, true],
    [{ dependency: 'embed*' }, true],
    [{ dependency: 'embed' }, false],
    [{ dependency: 'cache' }, false],
    [{ dependency: 'model:*' }, false],
    [{ operation: 'embed' }, true],
    [{ operation: 'list' }, false],
  ])('of the rule %j hit the call: %j', async (members, hit) => {
    faults.add(rule(members));
    expect(await embed().catch(() => 'failed')).toBe(hit ? 'failed' : 'fine');
  });

  it('hit only the tenant and the tagged requests that they are for', async () => {
    faults.add(rule({ tenantId: 'a', tag: 'drill' }));
    const from = (tenantId: string, tag: string) =>
      runInContext(Object.assign(newContext({ requestId: 'r' }), { tenantId }), async () => {
        setTag(tag);
        const result = await embed().catch(() => 'failed');
        return { result, applied: appliedRules() };
      });
    expect(await from('a', 'drill')).toEqual({ result: 'failed', applied: [faults.list()[0]!.id] });
    expect(await from('b', 'drill')).toEqual({ result: 'fine', applied: [] });
    expect(await from('a', 'other')).toEqual({ result: 'fine', applied: [] });
    expect(await from('a', 'drill\nx-secret: 1')).toEqual({ result: 'fine', applied: [] });
    expect(await embed()).toBe('fine');
  });

  it('hit the share of the calls that the rate says, the same ones for the same seed', async () => {
    const pattern = async (seed: number) => {
      faults.clear();
      faults.add(rule({ rate: 0.3, seed }));
      const results: boolean[] = [];
      for (let i = 0; i < 1_000; i++)
        results.push(
          await embed().then(
            () => false,
            () => true,
          ),
        );
      return results;
    };
    const first = await pattern(7);
    const share = first.filter(Boolean).length / first.length;
    expect(share).toBeGreaterThan(0.25);
    expect(share).toBeLessThan(0.35);
    expect(await pattern(7)).toEqual(first);
    expect(await pattern(8)).not.toEqual(first);
  });

  it('delay a call by its latency and go on', async () => {
    faults.add(rule({ kind: 'latency', latencyMs: 500 }));
    const done: unknown[] = [];
    const call = embed().then((value) => done.push(value));
    clock.pass(499);
    await new Promise(setImmediate);
    expect(done).toEqual([]);
    clock.pass(1);
    await call;
    expect(done).toEqual(['fine']);
  });

  it.each(['hang', 'latency'] as const)('of kind %s end with the signal of the call', async (kind) => {
    faults.add(rule({ kind, latencyMs: 60_000 }));
    const controller = new AbortController();
    const asked: string[] = [];
    const call = faults.apply(
      { dependency: 'embedder' },
      () => Promise.resolve(asked.push('asked')),
      controller.signal,
    );
    controller.abort(new Error('the attempt took too long'));
    await expect(call).rejects.toThrow('the attempt took too long');
    expect(asked).toEqual([]);
  });

  it('end by themselves when their time is up', async () => {
    faults.add(rule({ ttlSeconds: 5 }));
    clock.pass(4_999);
    await expect(embed()).rejects.toThrow(TransientFailure);
    clock.pass(1);
    expect(await embed()).toBe('fine');
    expect(faults.list()).toEqual([]);
  });

  it('can be ended one by one and all at once', async () => {
    const { id } = faults.add(rule());
    faults.add(rule({ dependency: 'cache' }));
    faults.add(rule({ dependency: 'parser' }));
    expect(faults.remove(id)).toBe(true);
    expect(faults.remove(id)).toBe(false);
    expect(await embed()).toBe('fine');
    faults.clear();
    expect(faults.list()).toEqual([]);
  });

  it('cut a stream short, break it and hang it after some items', async () => {
    const after = async (members: Partial<NewFaultRule>) => {
      faults.clear();
      faults.add(rule(members));
      return streamed();
    };
    expect(await after({ kind: 'truncation', afterItems: 2 })).toEqual(['one', 'two', 'TransientFailure']);
    expect(await after({ kind: 'truncation' })).toEqual(['one', 'TransientFailure']);
    expect(await after({ kind: 'error', afterItems: 2 })).toEqual(['one', 'two', 'TransientFailure']);
    expect(await after({ kind: 'error' })).toEqual(['TransientFailure']);
    const corrupted = await after({ kind: 'wrong-data' });
    expect(corrupted).toHaveLength(3);
    expect(corrupted).not.toEqual(['one', 'two', 'three']);
  });

  it('let the source of a stream clean up when they cut it short', async () => {
    faults.add(rule({ kind: 'truncation', afterItems: 1 }));
    let cleaned = false;
    async function* source() {
      try {
        yield* three();
      } finally {
        cleaned = true;
      }
    }
    expect(await read(faults.stream({ dependency: 'embedder' }, source, never))).toEqual([
      'one',
      'TransientFailure',
    ]);
    expect(cleaned).toBe(true);
  });

  it('are found by the check of the adapter that a wrong answer got past', async () => {
    faults.checkWith('embedder', (corrupted, expected) => {
      if (corrupted !== expected) throw new TransientFailure('not what was expected');
    });
    expect(await embed('fine')).toBe('fine');
    faults.add(rule({ kind: 'garbage' }));
    await expect(embed('fine')).rejects.toThrow('not what was expected');
    expect(await call({ dependency: 'cache' }, 'fine')).toBe('fine');
  });

  it.each(['postgres', 'password-hashing', 'parser', 'blob-store'])(
    'never make an answer of %s wrong',
    async (dependency) => {
      for (const kind of ['garbage', 'truncation', 'wrong-data'] as const)
        for (const pattern of [dependency, `${dependency[0]}*`, '*'])
          faults.add(rule({ dependency: pattern, kind }));
      expect(await call({ dependency }, true)).toBe(true);
      faults.add(rule({ dependency: `${dependency.slice(0, 2)}*`, kind: 'error' }));
      await expect(call({ dependency })).rejects.toThrow(TransientFailure);
    },
  );

  it('count their hits', async () => {
    faults.add(rule({ kind: 'latency', latencyMs: 0, dependency: 'parser' }));
    faults.add(rule({ kind: 'garbage' }));
    await embed('text');
    await embed('text');
    expect(faults.list().map(({ hits }) => hits)).toEqual([0, 2]);
  });

  it('all end when more than half of the answers of the last minute failed', () => {
    const { id } = faults.add(rule({ ttlSeconds: 900 }));
    for (let i = 0; i < 15; i++) faults.answered(false);
    for (let i = 0; i < 15; i++) faults.answered(true);
    expect(faults.list()).toHaveLength(1);
    faults.answered(true);
    expect(faults.list()).toEqual([]);
    expect(faults.autoStopped).toEqual({ at: expect.any(String), rules: [id] });
  });

  it('do not end over a few answers, nor over those of an earlier minute', () => {
    faults.add(rule({ ttlSeconds: 900 }));
    for (let i = 0; i < 19; i++) faults.answered(true);
    clock.pass(60_000);
    for (let i = 0; i < 19; i++) faults.answered(true);
    expect(faults.list()).toHaveLength(1);
    faults.answered(true);
    expect(faults.list()).toEqual([]);
  });
});
