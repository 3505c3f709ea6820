import { VirtualClock } from '../../../test/support/virtual-clock.js';
import {
  DeadlineExceeded,
  DependencyTimeout,
  DependencyUnavailable,
  FatalFailure,
  Overloaded,
  TransientFailure,
} from '#libs/errors';
import { newContext, runInContext } from '#libs/observability';
import type { CallOptions } from './call.js';
import { deadlineSignal } from './deadline.js';
import type { FaultInjector, FaultTarget } from './faults.js';
import type { PolicyOptions } from './options.js';
import type { PolicyHooks } from './policy.js';
import { PolicyRegistry } from './policy-registry.js';
import type { Policy } from './policy-types.js';

const OPTIONS: PolicyOptions = {
  attemptTimeoutMs: 1_000,
  retry: { retries: 2 },
  breaker: { minimumCalls: 4, slowCallMs: 500, successes: 1 },
  bulkhead: { concurrency: 2, queue: 2, tenantShare: 1 },
};
const pong = () => Promise.resolve('pong');
const fails = () => Promise.reject(new TransientFailure('503'));
const refused = () => Promise.reject(new FatalFailure('ECONNREFUSED'));
const hangs = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
const ignoring = () => new Promise<never>(() => undefined);

let clock: VirtualClock;
let registry: PolicyRegistry;
let random: number;
beforeEach(() => {
  clock = new VirtualClock();
  random = 0.5;
  registry = new PolicyRegistry({ clock, random: () => random });
});
afterEach(() => registry.close());

const policyWith = (changes: Partial<PolicyOptions> = {}, hooks?: PolicyHooks) =>
  registry.define('model', { ...OPTIONS, ...changes }, hooks);
const settled = (call: Promise<unknown>) => call.catch((error: unknown) => error);
/** Lets so much time pass that the call ends. */
async function ended(call: Promise<unknown>, ms = 10_000) {
  const outcome = settled(call);
  await clock.advance(ms);
  return outcome;
}

describe('a policy', () => {
  it('has its strategies in the one order', () => {
    const everything = { ...OPTIONS, throttle: {}, hedge: {} };
    const faults = { apply: (_, call, signal) => call(signal) } as FaultInjector;
    const full = new PolicyRegistry({ faults }).define('everything', everything).describe();
    expect(full.pipeline).toMatchSnapshot();
    expect(policyWith().describe().pipeline).toEqual(['retry', 'breaker', 'bulkhead', 'attempt-timeout']);
    expect(registry.define('bare', { attemptTimeoutMs: 1 }).describe().pipeline).toEqual([
      'breaker',
      'attempt-timeout',
    ]);
  });

  it('hands through what the call returns', async () => {
    await expect(policyWith().execute(pong)).resolves.toBe('pong');
  });

  it('retries an idempotent call and answers as soon as an attempt succeeds', async () => {
    let calls = 0;
    const call = policyWith().execute(() => (++calls < 3 ? fails() : pong()), { idempotent: true });
    expect(await ended(call)).toBe('pong');
    expect(calls).toBe(3);
  });

  it('makes a call once that is not declared idempotent', async () => {
    let calls = 0;
    expect(await ended(policyWith().execute(() => (calls++, fails())))).toBeInstanceOf(DependencyUnavailable);
    expect(calls).toBe(1);
  });

  it('neither retries nor hides a mistake of the caller', async () => {
    let calls = 0;
    const bug = new TypeError('a bug');
    const call = policyWith().execute(() => (calls++, Promise.reject(bug)), { idempotent: true });
    expect(await ended(call)).toBe(bug);
    expect(calls).toBe(1);
  });

  it('is a timeout of the dependency when every attempt takes too long', async () => {
    const call = policyWith().execute(hangs, { idempotent: true });
    expect(await ended(call)).toBeInstanceOf(DependencyTimeout);
  });

  it('keeps to a shorter limit of the call', async () => {
    const call = policyWith().execute(hangs, { timeoutMs: 10 });
    await expect(Promise.all([settled(call), clock.advance(10)])).resolves.toEqual([
      expect.any(DependencyTimeout),
      undefined,
    ]);
  });

  it('opens its circuit and then refuses without calling, telling when to come back', async () => {
    const policy = policyWith();
    await settled(policy.execute(refused, { idempotent: true }));
    expect(policy.state).toBe('open');
    let calls = 0;
    const refusal = await settled(policy.execute(() => Promise.resolve(calls++)));
    expect(refusal).toMatchObject({
      dependency: 'model',
      reason: 'circuit-open',
      retryAfterMs: 5_000,
      code: 'dependency-unavailable',
    });
    expect((refusal as Error).stack).toBe('DependencyUnavailable: model is unavailable');
    expect(calls).toBe(0);
  });

  it('says until when the circuit is open to the very call that opened it', async () => {
    expect(await settled(policyWith().execute(refused))).toMatchObject({
      reason: 'failed',
      retryAfterMs: 5_000,
      cause: expect.any(FatalFailure),
    });
  });

  it('recovers through a probe', async () => {
    const policy = policyWith();
    await settled(policy.execute(refused));
    await clock.advance(5_000);
    await expect(policy.execute(pong)).resolves.toBe('pong');
    expect(policy.state).toBe('closed');
  });

  it('gives a probe its own short limit, so that one that hangs wedges nothing', async () => {
    const policy = policyWith({ breaker: { ...OPTIONS.breaker, probeTimeoutMs: 200 } });
    await settled(policy.execute(refused));
    await clock.advance(5_000);
    const probe = settled(policy.execute(ignoring));
    const others = await Promise.all(Array.from({ length: 100 }, () => settled(policy.execute(pong))));
    expect(others.every((one) => (one as DependencyUnavailable).reason === 'circuit-open')).toBe(true);
    await clock.advance(200);
    expect(await probe).toBeInstanceOf(DependencyTimeout);
    await clock.advance(10_000);
    await expect(policy.execute(pong)).resolves.toBe('pong');
    expect(policy.state).toBe('closed');
  });

  it('rejects a caller who comes with an aborted signal with its reason, even when the circuit is open', async () => {
    const policy = policyWith();
    await settled(policy.execute(refused));
    await expect(policy.execute(pong, { signal: AbortSignal.abort('left') })).rejects.toBe('left');
  });

  it('does nothing for a deadline that is over', async () => {
    const { signal } = deadlineSignal(0, { clock });
    await expect(policyWith().execute(pong, { signal })).rejects.toThrow(DeadlineExceeded);
  });
});

describe('a circuit that is closed stays closed', () => {
  const many = async (make: () => Promise<unknown>) => {
    for (let i = 0; i < 20; i++) await make();
  };

  it('while callers leave, however long they waited', async () => {
    const policy = policyWith();
    await many(async () => {
      const client = new AbortController();
      const call = settled(policy.execute(hangs, { signal: client.signal }));
      await clock.advance(900);
      client.abort('left');
      expect(await call).toBe('left');
    });
    expect(policy.state).toBe('closed');
  });

  it('while callers make mistakes', async () => {
    const policy = policyWith();
    await many(() => settled(policy.execute(() => Promise.reject(new TypeError()))));
    expect(policy.state).toBe('closed');
  });

  it('while its bulkhead is full', async () => {
    const policy = policyWith();
    const gate = Promise.withResolvers<string>();
    const held = [1, 2, 3, 4].map(() => settled(policy.execute(() => gate.promise)));
    await many(async () =>
      expect(await settled(policy.execute(pong))).toMatchObject({
        reason: 'queue-full',
        retryAfterMs: 1_000,
      }),
    );
    await clock.advance(250);
    gate.resolve('done');
    expect((await Promise.all(held)).slice(2)).toEqual([
      expect.objectContaining({ reason: 'queue-timeout' }),
      expect.objectContaining({ reason: 'queue-timeout' }),
    ]);
    expect(policy.state).toBe('closed');
    await expect(policy.execute(pong)).resolves.toBe('pong');
  });

  it('while the dependency has too much to do', async () => {
    const policy = policyWith();
    await many(async () =>
      expect(await settled(policy.execute(() => Promise.reject(new Overloaded('429'))))).toMatchObject({
        reason: 'overloaded',
      }),
    );
    expect(policy.state).toBe('closed');
  });

  it('when the wall clock jumps', async () => {
    const policy = policyWith();
    const { now } = Date;
    try {
      for (const jump of [-3_600_000, 3_600_000]) {
        await settled(policy.execute(refused));
        Date.now = () => now() + jump;
        expect(policy.describe().retryAfterMs).toBe(jump < 0 ? 5_000 : 10_000);
        await clock.advance(policy.describe().retryAfterMs!);
        await policy.execute(pong);
        expect(policy.state).toBe('closed');
      }
    } finally {
      Date.now = now;
    }
  });

  it('after a failure that was under way since before it closed', async () => {
    const policy = policyWith({ attemptTimeoutMs: 600_000 });
    const old = Promise.withResolvers<string>();
    const stale = settled(policy.execute(() => old.promise));
    await settled(policy.execute(refused));
    await clock.advance(5_000);
    await policy.execute(pong);
    expect(policy.state).toBe('closed');
    old.reject(new FatalFailure('late'));
    await stale;
    expect(policy.state).toBe('closed');
  });
});

describe('time', () => {
  it('opens a circuit whose calls miss their deadlines after what counts as slow', async () => {
    const policy = policyWith();
    for (let i = 0; i < 4; i++) {
      expect(policy.state).toBe('closed');
      const { signal } = deadlineSignal(500, { clock });
      expect(await ended(policy.execute(hangs, { signal }), 500)).toBeInstanceOf(DeadlineExceeded);
    }
    expect(policy.state).toBe('open');
    expect(policy.describe().lastTransitions.at(-1)).toMatchObject({ detail: { reason: 'slow-ratio' } });
  });

  it('that was too short to tell says nothing', async () => {
    const policy = policyWith();
    for (let i = 0; i < 10; i++) {
      const { signal } = deadlineSignal(499, { clock });
      await ended(policy.execute(hangs, { signal }), 499);
    }
    expect(policy.describe().window.calls).toBe(0);
  });

  it('that a call spends in the queue is not the dependency’s', async () => {
    const policy = policyWith({ bulkhead: { concurrency: 1, queue: 9, tenantShare: 1, maxWaitMs: 60_000 } });
    const calls = Array.from({ length: 6 }, () => policy.execute(() => clock.sleep(400)));
    await clock.advance(2_400);
    await Promise.all(calls);
    expect(policy.describe().window).toMatchObject({ calls: 6, slow: 0 });
  });
});

describe('permits', () => {
  it('are given back by a call that was given up when it has really ended', async () => {
    const policy = policyWith({ bulkhead: { concurrency: 1 } });
    const work = Promise.withResolvers<string>();
    const client = new AbortController();
    const call = settled(policy.execute(() => work.promise, { signal: client.signal }));
    client.abort('left');
    await call;
    expect(policy.describe().permits).toMatchObject({ inUse: 1 });
    work.resolve('at last');
    await clock.advance(0);
    expect(policy.describe().permits).toMatchObject({ inUse: 0 });
    expect(clock.pending).toBe(0);
  });

  it('are not lost for ever to a call that never ends', async () => {
    const policy = policyWith({ bulkhead: { concurrency: 1 } });
    await ended(policy.execute(ignoring), 1_000);
    await clock.advance(4_999);
    expect(policy.describe().permits).toMatchObject({ inUse: 1 });
    await clock.advance(1);
    expect(policy.describe().permits).toMatchObject({ inUse: 0 });
  });

  it('wait longer for work that nobody waits for', async () => {
    const policy = policyWith({
      bulkhead: { concurrency: 1, queue: 9, tenantShare: 1, backgroundMaxWaitMs: 5_000 },
    });
    const held = policy.execute(() => clock.sleep(800));
    const background = settled(policy.execute(pong));
    const request = settled(policy.execute(pong, { priority: 'critical' }));
    await clock.advance(800);
    expect(await request).toMatchObject({ reason: 'queue-timeout' });
    expect(await background).toBe('pong');
    await held;
  });

  it('are asked for with tenant and priority of the request under way', async () => {
    const policy = policyWith({ bulkhead: { concurrency: 1, queue: 9, tenantShare: 1, maxWaitMs: 60_000 } });
    const order: string[] = [];
    const held = policy.execute(() => clock.sleep(10));
    const as = (priority: CallOptions['priority']) => {
      const context = newContext({ requestId: 'r' });
      Object.assign(context, { priority, tenantId: priority });
      return runInContext(context, () => policy.execute(() => Promise.resolve(order.push(priority!))));
    };
    const calls = [as('sheddable'), as('critical'), as('critical-plus')];
    await clock.advance(10);
    await Promise.all([held, ...calls]);
    expect(order).toEqual(['critical-plus', 'critical', 'sheddable']);
  });

  it('come back step by step after the circuit has closed', async () => {
    const policy = policyWith({ bulkhead: { concurrency: 20 } });
    await settled(policy.execute(refused));
    await clock.advance(5_000);
    await policy.execute(pong);
    expect(policy.describe().permits).toMatchObject({ limit: 4 });
    await clock.advance(10_000);
    expect(policy.describe().permits).toMatchObject({ limit: 20 });
  });
});

describe('an operator', () => {
  const until = (ms: number) => new Date(Date.now() + ms);
  const override = (mode: 'isolated' | 'disabled' | 'metrics-only', ms = 60_000) => ({
    mode,
    by: 'ann',
    reason: 'maintenance',
    expiresAt: until(ms),
  });

  it('isolates a dependency for a time, even one without a breaker', async () => {
    const policy = registry.define('bare', { attemptTimeoutMs: 1_000 });
    registry.override('bare', override('isolated'));
    expect(policy.state).toBe('isolated');
    expect(await settled(policy.execute(pong))).toMatchObject({ reason: 'isolated' });
    expect(policy.describe().override).toMatchObject({ mode: 'isolated', by: 'ann', reason: 'maintenance' });
    await clock.advance(60_001);
    expect(policy.state).toBe('closed');
    expect(policy.describe().override).toBeUndefined();
    await expect(policy.execute(pong)).resolves.toBe('pong');
    expect(registry.events.list('bare').map(({ type, from, to }) => [type, from, to])).toEqual([
      ['isolated', 'closed', 'isolated'],
      ['override-expired', 'isolated', 'closed'],
    ]);
  });

  it('replaces one override by another, and lifts it', async () => {
    const policy = policyWith();
    registry.override('model', override('isolated', 1_000));
    registry.override('model', override('disabled', 60_000));
    await clock.advance(2_000);
    expect(policy.state).toBe('disabled');
    for (let i = 0; i < 10; i++) await settled(policy.execute(refused));
    expect(policy.state).toBe('disabled');
    registry.override('model', null);
    expect(policy.state).toBe('closed');
    expect(clock.pending).toBe(0);
    expect(registry.events.list('model').map(({ type }) => type)).toEqual([
      'isolated',
      'disabled',
      'override-lifted',
    ]);
  });

  it('imposes nothing that has expired already, and lifts nothing where nothing stands', () => {
    const policy = policyWith();
    policy.override(override('isolated', -1));
    policy.override(null);
    expect(policy.state).toBe('closed');
    expect(registry.events.list()).toEqual([]);
  });

  it('closes and resets', async () => {
    const policy = policyWith();
    await settled(policy.execute(refused));
    policy.close();
    expect(policy.state).toBe('closed');
    await settled(policy.execute(refused));
    policy.reset();
    expect(policy.state).toBe('closed');
    expect(policy.describe().retryBudgetLeft).toBe(10);
  });

  it('sees in a description how it is', async () => {
    const policy = policyWith();
    for (let i = 0; i < 19; i++) await policy.execute(pong);
    await settled(policy.execute(() => fails()));
    expect(policy.describe()).toMatchObject({
      name: 'model',
      state: 'closed',
      options: { attemptTimeoutMs: 1_000, breaker: { openMs: 5_000 } },
      window: { calls: 20, failures: 1, slow: 0, failureRatio: 0.05, slowRatio: 0 },
      permits: { inUse: 0, limit: 2, queued: 0 },
      retryBudgetLeft: 10,
      latency: {},
      lastTransitions: [],
    });
    expect(policy.describe()).not.toHaveProperty('retryAfterMs');
    await settled(policy.execute(refused));
    expect(policy.describe()).toMatchObject({
      state: 'open',
      retryAfterMs: 5_000,
      lastTransitions: [{ type: 'opened', from: 'closed', to: 'open', detail: { reason: 'fatal' } }],
    });
    expect(() => JSON.stringify(policy.describe())).not.toThrow();
  });
});

describe('a probe of the dependency', () => {
  it('permits a call early once the dependency answers again, and stops when the circuit has closed', async () => {
    let up = false;
    let asked = 0;
    const probe = () => (asked++, up ? Promise.resolve() : Promise.reject(new Error('down')));
    const policy = policyWith({}, { probe });
    await settled(policy.execute(refused));
    await clock.advance(2_000);
    up = true;
    await clock.advance(1_000);
    await expect(policy.execute(pong)).resolves.toBe('pong');
    expect(policy.state).toBe('closed');
    const before = asked;
    await clock.advance(10_000);
    expect(asked).toBe(before);
    expect(registry.events.list('model').map(({ type }) => type)).toEqual([
      'opened',
      'probe-unanswered',
      'probe-answered',
      'half-opened',
      'closed',
    ]);
  });
});

describe('a throttle', () => {
  it('keeps a part of the calls from a dependency that accepts only a part, and starts anew after a recovery', async () => {
    random = 0;
    const policy = policyWith({ throttle: {}, retry: undefined });
    const busy = () => Promise.reject(new Overloaded('429'));
    for (let i = 0; i < 20; i++) await settled(policy.execute(busy));
    expect(await settled(policy.execute(pong))).toMatchObject({ reason: 'throttled' });
    policy.reset();
    await expect(policy.execute(pong)).resolves.toBe('pong');
  });
});

describe('hedging', () => {
  it('asks once more when an idempotent call takes longer than nearly all, and takes the first answer', async () => {
    const policy = policyWith({ hedge: {} });
    for (let i = 0; i < 40; i++) await policy.execute(pong, { idempotent: true });
    const signals: AbortSignal[] = [];
    const work = (signal: AbortSignal) => (signals.push(signal) === 1 ? hangs(signal) : pong());
    const call = policy.execute(work, { idempotent: true });
    await clock.advance(50);
    await expect(call).resolves.toBe('pong');
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
    expect(policy.describe().permits).toMatchObject({ inUse: 0 });
    expect(policy.state).toBe('closed');
  });

  describe('is off', () => {
    const asked = async (policy: Policy, ms = 100) => {
      let calls = 0;
      const work = (signal: AbortSignal) => {
        calls++;
        return hangs(signal);
      };
      const call = settled(policy.execute(work, { idempotent: true }));
      await clock.advance(ms);
      const times = calls;
      await clock.advance(10_000);
      await call;
      return times;
    };
    const hedging = async (concurrency: number) => {
      const bulkhead = { concurrency, queue: 10, tenantShare: 1 };
      const policy = policyWith({ hedge: {}, retry: undefined, bulkhead });
      for (let i = 0; i < 40; i++) await policy.execute(pong, { idempotent: true });
      return policy;
    };

    it('while the process is full', async () => {
      const policy = await hedging(10);
      let load = 0.71;
      registry.heed(() => load);
      expect(await asked(policy)).toBe(1);
      load = 0.7;
      expect(await asked(policy)).toBe(2);
    });

    it('while most of the permits are in use', async () => {
      const policy = await hedging(10);
      const ends = new AbortController();
      // These are not idempotent, so they are not asked twice themselves.
      const others = Array.from({ length: 7 }, () =>
        settled(policy.execute(hangs, { signal: ends.signal, timeoutMs: 100_000 })),
      );
      expect(await asked(policy)).toBe(1);
      ends.abort();
      await Promise.all(others);
      expect(await asked(policy)).toBe(2);
    });
  });
});

describe('a stream', () => {
  async function* items(...values: unknown[]) {
    for (const value of values) {
      if (value instanceof Error) throw value;
      yield value as string;
    }
  }
  async function read(stream: AsyncIterable<string>) {
    const seen: string[] = [];
    try {
      for await (const item of stream) seen.push(item);
      return seen;
    } catch (error) {
      return [...seen, error];
    }
  }
  const windowOf = (policy: ReturnType<typeof policyWith>) => policy.describe().window;

  it('gives all items, and is one success at its end', async () => {
    const policy = policyWith();
    const stream = policy.stream(() => items('a', 'b'));
    expect((await stream.next()).value).toBe('a');
    expect(windowOf(policy).calls).toBe(0);
    expect(policy.describe().permits).toMatchObject({ inUse: 1 });
    expect(await read(stream)).toEqual(['b']);
    expect(windowOf(policy)).toMatchObject({ calls: 1, failures: 0 });
    expect(policy.describe().permits).toMatchObject({ inUse: 0 });
  });

  it('may be empty', async () => {
    const policy = policyWith();
    expect(await read(policy.stream(() => items()))).toEqual([]);
    expect(windowOf(policy)).toMatchObject({ calls: 1, failures: 0 });
  });

  it('is retried before its first item, if it is idempotent', async () => {
    const policy = policyWith();
    let opened = 0;
    const open = () => (++opened < 3 ? items(new TransientFailure('503')) : items('a'));
    const all = read(policy.stream(open, { idempotent: true }));
    await clock.advance(1_000);
    expect(await all).toEqual(['a']);
    expect(opened).toBe(3);
  });

  it('is never retried after its first item; breaking off is a failure', async () => {
    const policy = policyWith();
    let opened = 0;
    const open = () => (opened++, items('a', new TransientFailure('cut')));
    expect(await read(policy.stream(open, { idempotent: true }))).toEqual([
      'a',
      expect.objectContaining({ dependency: 'model', reason: 'failed' }),
    ]);
    expect(opened).toBe(1);
    expect(windowOf(policy)).toMatchObject({ calls: 1, failures: 1 });
    await clock.advance(0);
    expect(policy.describe().permits).toMatchObject({ inUse: 0 });
  });

  it('times out without a first item, and not later', async () => {
    const policy = policyWith({ retry: undefined });
    const never = async function* (signal: AbortSignal) {
      await hangs(signal);
      yield 'never';
    };
    const late = read(policy.stream(never));
    await clock.advance(1_000);
    expect(await late).toEqual([expect.any(DependencyTimeout)]);

    const slow = async function* () {
      yield 'a';
      await clock.sleep(60_000);
      yield 'b';
    };
    const all = read(policy.stream(slow));
    await clock.advance(60_000);
    expect(await all).toEqual(['a', 'b']);
  });

  it('is slow by the time of its first item, and not by its length', async () => {
    const policy = policyWith();
    const open = (firstMs: number, restMs: number) =>
      async function* () {
        await clock.sleep(firstMs);
        yield 'a';
        await clock.sleep(restMs);
      };
    const long = read(policy.stream(open(10, 5_000)));
    await clock.advance(6_000);
    await long;
    expect(windowOf(policy)).toMatchObject({ calls: 1, slow: 0 });
    const late = read(policy.stream(open(500, 0)));
    await clock.advance(600);
    await late;
    expect(windowOf(policy)).toMatchObject({ calls: 2, slow: 1 });
  });

  it('means nothing when its reader leaves, is aborted then and gives its permit back', async () => {
    const policy = policyWith();
    let closed = false;
    let inner: AbortSignal | undefined;
    const open = async function* (signal: AbortSignal) {
      inner = signal;
      try {
        for (;;) yield 'a';
      } finally {
        closed = true;
      }
    };
    for await (const item of policy.stream(open)) {
      expect(item).toBe('a');
      break;
    }
    expect(windowOf(policy).calls).toBe(0);
    await clock.advance(0);
    expect(policy.describe().permits).toMatchObject({ inUse: 0 });
    expect(inner!.aborted).toBe(true);
    expect(closed).toBe(true);
  });

  it('ends with the reason of a caller who leaves, even if it does not listen', async () => {
    const policy = policyWith();
    const client = new AbortController();
    const open = async function* () {
      yield 'a';
      await ignoring();
    };
    const all = read(policy.stream(open, { signal: client.signal }));
    await clock.advance(10);
    const left = new Error('left');
    client.abort(left);
    expect(await all).toEqual(['a', left]);
    expect(windowOf(policy).calls).toBe(0);
    // What does not listen goes on working, and its permit is not another's for a while.
    expect(policy.describe().permits).toMatchObject({ inUse: 1 });
    await clock.advance(5_000);
    expect(policy.describe().permits).toMatchObject({ inUse: 0 });
  });

  it('that comes too late is closed again', async () => {
    const policy = policyWith({ retry: undefined });
    const gate = Promise.withResolvers<void>();
    let closed = false;
    const open = async function* () {
      try {
        await gate.promise;
        yield 'a';
      } finally {
        closed = true;
      }
    };
    const all = read(policy.stream(open));
    await clock.advance(1_000);
    expect(await all).toEqual([expect.any(DependencyTimeout)]);
    gate.resolve();
    await clock.advance(0);
    expect(closed).toBe(true);
    expect(policy.describe().permits).toMatchObject({ inUse: 0 });
  });

  it('as a probe is judged by its first item, and its end may still fail', async () => {
    const policy = policyWith({ breaker: { ...OPTIONS.breaker, successes: 2 } });
    await settled(policy.execute(refused));
    await clock.advance(5_000);
    const first = policy.stream(() => items('a', 'b'));
    await first.next();
    const second = policy.stream(() => items('a', 'b'));
    await second.next();
    expect(policy.state).toBe('closed');
    await read(first);
    await read(second);
    expect(policy.state).toBe('closed');
  });

  it('is refused like any call when the circuit is open', async () => {
    const policy = policyWith();
    await settled(policy.execute(refused));
    expect(await read(policy.stream(() => items('a')))).toEqual([
      expect.objectContaining({ reason: 'circuit-open' }),
    ]);
  });
});

describe('faults', () => {
  it('stand innermost: the policy treats them like the dependency’s own, streams too', async () => {
    const targets: FaultTarget[] = [];
    const faults: FaultInjector = {
      apply: (target) => (targets.push(target), fails()),
      async *stream(target, open, signal) {
        targets.push(target);
        yield* open(signal);
        throw new TransientFailure('injected');
      },
    };
    registry = new PolicyRegistry({ clock, random: () => random, faults });
    const policy = policyWith({ retry: undefined });
    expect(await settled(policy.execute(pong, { operation: 'ask' }))).toMatchObject({ reason: 'failed' });
    const seen: unknown[] = [];
    const reading = (async () => {
      for await (const item of policy.stream(async function* () {
        yield 'a';
      }))
        seen.push(item);
    })();
    expect(await settled(reading)).toMatchObject({ reason: 'failed' });
    expect(seen).toEqual(['a']);
    expect(targets).toEqual([
      { dependency: 'model', operation: 'ask' },
      { dependency: 'model', operation: undefined },
    ]);
    expect(policy.describe().window).toMatchObject({ calls: 2, failures: 2 });
  });

  it('that hang are an attempt that takes too long', async () => {
    const faults: Pick<FaultInjector, 'apply'> = { apply: (_, __, signal) => hangs(signal) };
    registry = new PolicyRegistry({ clock, random: () => random, faults: faults as FaultInjector });
    const policy = policyWith({ retry: undefined });
    expect(await ended(policy.execute(pong), 1_000)).toBeInstanceOf(DependencyTimeout);
    expect(policy.describe().window).toMatchObject({ calls: 1, failures: 1, slow: 1 });
  });
});
