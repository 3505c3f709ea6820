import { fails, PolicyWorld, pong, refused, settled } from '../../../test/support/policy-world.js';

let world: PolicyWorld;
beforeEach(() => {
  world = new PolicyWorld();
});
afterEach(() => world.close());

describe('an operator', () => {
  const until = (ms: number) => new Date(Date.now() + ms);
  const override = (mode: 'isolated' | 'disabled' | 'metrics-only', ms = 60_000) => ({
    mode,
    by: 'ann',
    reason: 'maintenance',
    expiresAt: until(ms),
  });

  it('isolates a dependency for a time, even one without a breaker', async () => {
    const policy = world.registry.define('bare', { attemptTimeoutMs: 1_000 });
    world.registry.override('bare', override('isolated'));
    expect(policy.state).toBe('isolated');
    expect(await settled(policy.execute(pong))).toMatchObject({ reason: 'isolated' });
    expect(policy.describe().override).toMatchObject({ mode: 'isolated', by: 'ann', reason: 'maintenance' });
    await world.clock.advance(60_001);
    expect(policy.state).toBe('closed');
    expect(policy.describe().override).toBeUndefined();
    await expect(policy.execute(pong)).resolves.toBe('pong');
    expect(world.registry.events.list('bare').map(({ type, from, to }) => [type, from, to])).toEqual([
      ['isolated', 'closed', 'isolated'],
      ['override-expired', 'isolated', 'closed'],
    ]);
  });

  it('replaces one override by another, and lifts it', async () => {
    const policy = world.policyWith();
    world.registry.override('model', override('isolated', 1_000));
    world.registry.override('model', override('disabled', 60_000));
    await world.clock.advance(2_000);
    expect(policy.state).toBe('disabled');
    for (let i = 0; i < 10; i++) await settled(policy.execute(refused));
    expect(policy.state).toBe('disabled');
    world.registry.override('model', null);
    expect(policy.state).toBe('closed');
    expect(world.clock.pending).toBe(0);
    expect(world.registry.events.list('model').map(({ type }) => type)).toEqual([
      'isolated',
      'disabled',
      'override-lifted',
    ]);
  });

  it('leaves nothing behind when all is over', async () => {
    world.policyWith();
    world.registry.override('model', override('isolated'));
    world.registry.close();
    expect(world.clock.pending).toBe(0);
  });

  it.each(['disabled', 'metrics-only'] as const)(
    'lifts %s without a slow start: calls went through all the time',
    (mode) => {
      const policy = world.policyWith({ bulkhead: { concurrency: 20 } });
      policy.override(override(mode));
      policy.override(null);
      expect(policy.describe().permits).toMatchObject({ limit: 20 });
    },
  );

  it('lifts the isolation of a policy that has no breaker', async () => {
    const policy = world.policyWith({ breaker: undefined, bulkhead: { concurrency: 20 } });
    policy.override(override('isolated'));
    policy.override(null);
    expect(policy.state).toBe('closed');
    await expect(policy.execute(pong)).resolves.toBe('pong');
  });

  it('imposes nothing that has expired already, and lifts nothing where nothing stands', () => {
    const policy = world.policyWith();
    policy.override(override('isolated', -1));
    policy.override(null);
    expect(policy.state).toBe('closed');
    expect(world.registry.events.list()).toEqual([]);
  });

  it('closes and resets', async () => {
    const policy = world.policyWith();
    await settled(policy.execute(refused));
    policy.close();
    expect(policy.state).toBe('closed');
    await settled(policy.execute(refused));
    policy.reset();
    expect(policy.state).toBe('closed');
    expect(policy.describe().retryBudgetLeft).toBe(10);
  });

  it('sees in a description how long calls take that succeed, and how many are slow', async () => {
    const policy = world.policyWith({ breaker: { minimumCalls: 100, slowCallMs: 500, windowMs: 60_000 } });
    expect(policy.describe().window).toMatchObject({ calls: 0, failureRatio: 0, slowRatio: 0 });
    const made = async (times: number, ms: number, result = pong) => {
      for (let i = 0; i < times; i++)
        await world.ended(
          policy.execute(() => world.clock.sleep(ms).then(result)),
          ms,
        );
    };
    await made(15, 10);
    await made(15, 600);
    await made(10, 900, fails);
    expect(policy.describe()).toMatchObject({
      window: { calls: 40, failures: 10, slow: 25, slowRatio: 0.625 },
      latency: { p50Ms: 10, p95Ms: 600 },
    });
  });

  it('sees in a description how it is', async () => {
    const policy = world.policyWith();
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
