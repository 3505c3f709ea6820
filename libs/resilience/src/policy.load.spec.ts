import { Overloaded, TransientFailure } from '#libs/errors';
import { newContext, runInContext } from '#libs/observability';
import {
  fails,
  hangs,
  ignoring,
  OPTIONS,
  PolicyWorld,
  pong,
  refused,
  settled,
} from '../../../test/support/policy-world.js';
import type { CallOptions } from './call.js';
import type { Policy } from './policy-types.js';

let world: PolicyWorld;
beforeEach(() => {
  world = new PolicyWorld();
});
afterEach(() => world.close());

describe('permits', () => {
  it('are given back by a call that was given up when it has really ended', async () => {
    const policy = world.policyWith({ bulkhead: { concurrency: 1 } });
    const work = Promise.withResolvers<string>();
    const client = new AbortController();
    const call = settled(policy.execute(() => work.promise, { signal: client.signal }));
    client.abort('left');
    await call;
    expect(policy.describe().permits).toMatchObject({ inUse: 1 });
    work.resolve('at last');
    await world.clock.advance(0);
    expect(policy.describe().permits).toMatchObject({ inUse: 0 });
    expect(world.clock.pending).toBe(0);
  });

  it('are not lost for ever to a call that never ends', async () => {
    const policy = world.policyWith({ bulkhead: { concurrency: 1 } });
    await world.ended(policy.execute(ignoring), 1_000);
    await world.clock.advance(4_999);
    expect(policy.describe().permits).toMatchObject({ inUse: 1 });
    await world.clock.advance(1);
    expect(policy.describe().permits).toMatchObject({ inUse: 0 });
  });

  it('wait longer for work that nobody waits for', async () => {
    const policy = world.policyWith({
      bulkhead: { concurrency: 1, queue: 9, tenantShare: 1, backgroundMaxWaitMs: 5_000 },
    });
    const held = policy.execute(() => world.clock.sleep(800));
    const background = settled(policy.execute(pong));
    const request = settled(policy.execute(pong, { priority: 'critical' }));
    await world.clock.advance(800);
    expect(await request).toMatchObject({ reason: 'queue-timeout' });
    expect(await background).toBe('pong');
    await held;
  });

  it('are asked for with tenant and priority of the request under way', async () => {
    const policy = world.policyWith({
      bulkhead: { concurrency: 1, queue: 9, tenantShare: 1, maxWaitMs: 60_000 },
    });
    const order: string[] = [];
    const held = policy.execute(() => world.clock.sleep(10));
    const as = (priority: CallOptions['priority']) => {
      const context = newContext({ requestId: 'r' });
      Object.assign(context, { priority, tenantId: priority });
      return runInContext(context, () => policy.execute(() => Promise.resolve(order.push(priority!))));
    };
    const calls = [as('sheddable'), as('critical'), as('critical-plus')];
    await world.clock.advance(10);
    await Promise.all([held, ...calls]);
    expect(order).toEqual(['critical-plus', 'critical', 'sheddable']);
  });

  it('come back step by step after the circuit has closed', async () => {
    const policy = world.policyWith({ bulkhead: { concurrency: 20 } });
    await settled(policy.execute(refused));
    await world.clock.advance(5_000);
    await policy.execute(pong);
    expect(policy.describe().permits).toMatchObject({ limit: 4 });
    await world.clock.advance(10_000);
    expect(policy.describe().permits).toMatchObject({ limit: 20 });
  });
});

describe('a limit that adapts', () => {
  const adaptive = () =>
    world.policyWith({ breaker: undefined, bulkhead: { concurrency: 3, queue: 9, adaptive: { min: 1 } } });
  const limitOf = (policy: Policy) => policy.describe().permits!.limit;
  const overloaded = () => Promise.reject(new Overloaded('429'));
  async function* items(...given: (string | Error)[]) {
    for (const item of given) {
      if (item instanceof Error) throw item;
      yield item;
    }
  }
  const read = async (policy: Policy, ...given: (string | Error)[]) => {
    for await (const item of policy.stream(() => items(...given))) if (item === 'leave') break;
  };

  it('is lowered by what says that it has too much to do, and by no other failure', async () => {
    const policy = adaptive();
    await settled(policy.execute(fails));
    expect(limitOf(policy)).toBe(3);
    await settled(policy.execute(overloaded));
    expect(limitOf(policy)).toBe(2);
  });

  it('is raised again by what succeeds', async () => {
    const policy = adaptive();
    await settled(policy.execute(overloaded));
    await settled(policy.execute(fails));
    for (let i = 0; i < 2; i++) await settled(policy.execute(fails));
    expect(limitOf(policy)).toBe(2);
    for (let i = 0; i < 3; i++) await policy.execute(pong);
    expect(limitOf(policy)).toBe(3);
  });

  it('learns from a stream by its end', async () => {
    const policy = adaptive();
    await settled(read(policy, 'a', new TransientFailure('cut')));
    await read(policy, 'leave', 'b');
    expect(limitOf(policy)).toBe(3);
    await settled(read(policy, 'a', new Overloaded('529')));
    expect(limitOf(policy)).toBe(2);
    for (let i = 0; i < 3; i++) await read(policy, 'leave', 'b');
    expect(limitOf(policy)).toBe(2);
    for (let i = 0; i < 3; i++) await read(policy, 'a', 'b');
    expect(limitOf(policy)).toBe(3);
  });
});

describe('a slow start', () => {
  it('goes on when the options change', async () => {
    const changed = { ...OPTIONS, bulkhead: { concurrency: 20 } };
    const policy = world.policyWith(changed);
    await settled(policy.execute(refused));
    await world.clock.advance(5_000);
    await policy.execute(pong);
    policy.update({ ...changed, attemptTimeoutMs: 2_000 });
    expect(policy.describe().permits).toMatchObject({ limit: 4 });
    await world.clock.advance(10_000);
    expect(policy.describe().permits).toMatchObject({ limit: 20 });
  });
});

describe('a throttle', () => {
  it('keeps a part of the calls from a dependency that accepts only a part, and starts anew after a recovery', async () => {
    world.random = 0;
    const policy = world.policyWith({ throttle: {}, retry: undefined });
    const busy = () => Promise.reject(new Overloaded('429'));
    for (let i = 0; i < 20; i++) await settled(policy.execute(busy));
    expect(await settled(policy.execute(pong))).toMatchObject({ reason: 'throttled' });
    policy.reset();
    await expect(policy.execute(pong)).resolves.toBe('pong');
  });
});

describe('hedging', () => {
  it('asks once more when an idempotent call takes longer than nearly all, and takes the first answer', async () => {
    const policy = world.policyWith({ hedge: {} });
    for (let i = 0; i < 40; i++) await policy.execute(pong, { idempotent: true });
    const signals: AbortSignal[] = [];
    const work = (signal: AbortSignal) => (signals.push(signal) === 1 ? hangs(signal) : pong());
    const call = policy.execute(work, { idempotent: true });
    await world.clock.advance(50);
    await expect(call).resolves.toBe('pong');
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
    expect(policy.describe().permits).toMatchObject({ inUse: 0 });
    expect(policy.state).toBe('closed');
  });

  it('waits as long as nearly all calls take, however much longer than the least wait that is', async () => {
    const policy = world.policyWith({ hedge: {}, retry: undefined });
    const slow = (ms: number) =>
      world.ended(
        policy.execute(() => world.clock.sleep(ms), { idempotent: true }),
        ms,
      );
    for (let i = 0; i < 20; i++) await slow(200);
    let calls = 0;
    const call = settled(policy.execute((signal) => (calls++, hangs(signal)), { idempotent: true }));
    await world.clock.advance(199);
    expect(calls).toBe(1);
    await world.clock.advance(1);
    expect(calls).toBe(2);
    await world.ended(call);
  });

  describe('is off', () => {
    const asked = async (policy: Policy, idempotent = true) => {
      let calls = 0;
      const work = (signal: AbortSignal) => {
        calls++;
        return hangs(signal);
      };
      const call = settled(policy.execute(work, { idempotent }));
      await world.clock.advance(100);
      const times = calls;
      await world.clock.advance(10_000);
      await call;
      return times;
    };
    const hedging = async (concurrency: number) => {
      const bulkhead = { concurrency, queue: 10, tenantShare: 1 };
      const policy = world.policyWith({ hedge: {}, retry: undefined, bulkhead });
      for (let i = 0; i < 40; i++) await policy.execute(pong, { idempotent: true });
      return policy;
    };

    it('for what must not be done twice', async () => {
      expect(await asked(await hedging(10), false)).toBe(1);
    });

    it('until there were enough calls to tell what is slow', async () => {
      const policy = world.policyWith({ hedge: {}, retry: undefined });
      for (let i = 0; i < 19; i++) await policy.execute(pong, { idempotent: true });
      expect(await asked(policy)).toBe(1);
      await policy.execute(pong, { idempotent: true });
      expect(await asked(policy)).toBe(2);
    });

    it('while the process is full', async () => {
      const policy = await hedging(10);
      let load = 0.71;
      world.registry.heed(() => load);
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
