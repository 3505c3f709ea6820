import {
  DeadlineExceeded,
  DependencyTimeout,
  DependencyUnavailable,
  FatalFailure,
  Overloaded,
} from '#libs/errors';
import {
  hangs,
  ignoring,
  OPTIONS,
  PolicyWorld,
  pong,
  refused,
  settled,
} from '../../../test/support/policy-world.js';
import { deadlineSignal } from './deadline.js';

let world: PolicyWorld;
beforeEach(() => {
  world = new PolicyWorld();
});
afterEach(() => world.close());

describe('the circuit of a policy', () => {
  it('opens its circuit and then refuses without calling, telling when to come back', async () => {
    const policy = world.policyWith();
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
    expect(await settled(world.policyWith().execute(refused))).toMatchObject({
      reason: 'failed',
      retryAfterMs: 5_000,
      cause: expect.any(FatalFailure),
    });
  });

  it('recovers through a probe', async () => {
    const policy = world.policyWith();
    await settled(policy.execute(refused));
    await world.clock.advance(5_000);
    await expect(policy.execute(pong)).resolves.toBe('pong');
    expect(policy.state).toBe('closed');
  });

  it('has the time of a probe for probes alone', async () => {
    const policy = world.policyWith({ breaker: { ...OPTIONS.breaker, probeTimeoutMs: 200 } });
    const call = policy.execute(() => world.clock.sleep(400).then(pong));
    expect(await world.ended(call, 400)).toBe('pong');
  });

  it('gives a probe its own short limit, so that one that hangs wedges nothing', async () => {
    const policy = world.policyWith({ breaker: { ...OPTIONS.breaker, probeTimeoutMs: 200 } });
    await settled(policy.execute(refused));
    await world.clock.advance(5_000);
    const probe = settled(policy.execute(ignoring));
    const others = await Promise.all(Array.from({ length: 100 }, () => settled(policy.execute(pong))));
    expect(others.every((one) => (one as DependencyUnavailable).reason === 'circuit-open')).toBe(true);
    await world.clock.advance(200);
    expect(await probe).toBeInstanceOf(DependencyTimeout);
    await world.clock.advance(10_000);
    await expect(policy.execute(pong)).resolves.toBe('pong');
    expect(policy.state).toBe('closed');
  });
});

describe('a circuit that is closed stays closed', () => {
  const many = async (make: () => Promise<unknown>) => {
    for (let i = 0; i < 20; i++) await make();
  };

  it('while callers leave, however long they waited', async () => {
    const policy = world.policyWith();
    await many(async () => {
      const client = new AbortController();
      const call = settled(policy.execute(hangs, { signal: client.signal }));
      await world.clock.advance(900);
      client.abort('left');
      expect(await call).toBe('left');
    });
    expect(policy.state).toBe('closed');
  });

  it('while callers make mistakes', async () => {
    const policy = world.policyWith();
    await many(() => settled(policy.execute(() => Promise.reject(new TypeError()))));
    expect(policy.state).toBe('closed');
  });

  it('while its bulkhead is full', async () => {
    const policy = world.policyWith();
    const gate = Promise.withResolvers<string>();
    const held = [1, 2, 3, 4].map(() => settled(policy.execute(() => gate.promise)));
    await many(async () =>
      expect(await settled(policy.execute(pong))).toMatchObject({
        reason: 'queue-full',
        retryAfterMs: 1_000,
      }),
    );
    await world.clock.advance(250);
    gate.resolve('done');
    expect((await Promise.all(held)).slice(2)).toEqual([
      expect.objectContaining({ reason: 'queue-timeout' }),
      expect.objectContaining({ reason: 'queue-timeout' }),
    ]);
    expect(policy.state).toBe('closed');
    await expect(policy.execute(pong)).resolves.toBe('pong');
  });

  it('while the dependency has too much to do', async () => {
    const policy = world.policyWith();
    await many(async () =>
      expect(await settled(policy.execute(() => Promise.reject(new Overloaded('429'))))).toMatchObject({
        reason: 'overloaded',
      }),
    );
    expect(policy.state).toBe('closed');
  });

  it('when the wall clock jumps', async () => {
    const policy = world.policyWith();
    const { now } = Date;
    try {
      for (const jump of [-3_600_000, 3_600_000]) {
        await settled(policy.execute(refused));
        Date.now = () => now() + jump;
        expect(policy.describe().retryAfterMs).toBe(jump < 0 ? 5_000 : 10_000);
        await world.clock.advance(policy.describe().retryAfterMs!);
        await policy.execute(pong);
        expect(policy.state).toBe('closed');
      }
    } finally {
      Date.now = now;
    }
  });

  it('after a failure that was under way since before it closed', async () => {
    const policy = world.policyWith({ attemptTimeoutMs: 600_000 });
    const old = Promise.withResolvers<string>();
    const stale = settled(policy.execute(() => old.promise));
    await settled(policy.execute(refused));
    await world.clock.advance(5_000);
    await policy.execute(pong);
    expect(policy.state).toBe('closed');
    old.reject(new FatalFailure('late'));
    await stale;
    expect(policy.state).toBe('closed');
  });
});

describe('time', () => {
  it('opens a circuit whose calls miss their deadlines after what counts as slow', async () => {
    const policy = world.policyWith();
    for (let i = 0; i < 4; i++) {
      expect(policy.state).toBe('closed');
      const { signal } = deadlineSignal(500, { clock: world.clock });
      expect(await world.ended(policy.execute(hangs, { signal }), 500)).toBeInstanceOf(DeadlineExceeded);
    }
    expect(policy.state).toBe('open');
    expect(policy.describe().lastTransitions.at(-1)).toMatchObject({ detail: { reason: 'slow-ratio' } });
  });

  it('that was too short to tell says nothing', async () => {
    const policy = world.policyWith();
    for (let i = 0; i < 10; i++) {
      const { signal } = deadlineSignal(499, { clock: world.clock });
      await world.ended(policy.execute(hangs, { signal }), 499);
    }
    expect(policy.describe().window.calls).toBe(0);
  });

  it('that a call spends in the queue is not the dependency’s', async () => {
    const policy = world.policyWith({
      bulkhead: { concurrency: 1, queue: 9, tenantShare: 1, maxWaitMs: 60_000 },
    });
    const calls = Array.from({ length: 6 }, () => policy.execute(() => world.clock.sleep(400)));
    await world.clock.advance(2_400);
    await Promise.all(calls);
    expect(policy.describe().window).toMatchObject({ calls: 6, slow: 0 });
  });
});

describe('a probe of the dependency', () => {
  it('permits a call early once the dependency answers again, and stops when the circuit has closed', async () => {
    let up = false;
    let asked = 0;
    const probe = () => (asked++, up ? Promise.resolve() : Promise.reject(new Error('down')));
    const policy = world.policyWith({}, { probe });
    await settled(policy.execute(refused));
    await world.clock.advance(2_000);
    up = true;
    await world.clock.advance(1_000);
    await expect(policy.execute(pong)).resolves.toBe('pong');
    expect(policy.state).toBe('closed');
    const before = asked;
    await world.clock.advance(10_000);
    expect(asked).toBe(before);
    expect(world.registry.events.list('model').map(({ type }) => type)).toEqual([
      'opened',
      'probe-unanswered',
      'probe-answered',
      'half-opened',
      'closed',
    ]);
  });
});
