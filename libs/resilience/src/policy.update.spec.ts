import { Overloaded } from '#libs/errors';
import {
  fails,
  hangs,
  OPTIONS,
  PolicyWorld,
  pong,
  refused,
  settled,
} from '../../../test/support/policy-world.js';

let world: PolicyWorld;
beforeEach(() => {
  world = new PolicyWorld();
});
afterEach(() => world.close());

const overloaded = () => Promise.reject(new Overloaded('429'));

describe('a policy that gets new options', () => {
  it('retries as often as they say, and keeps what was spent', async () => {
    const policy = world.policyWith({ breaker: undefined });
    const callsOf = async () => {
      let calls = 0;
      await world.ended(
        policy.execute(() => (calls++, fails()), { idempotent: true }),
        1_000,
      );
      return calls;
    };
    for (let i = 0; i < 4; i++) expect(await callsOf()).toBe(3);
    const left = policy.describe().retryBudgetLeft!;
    expect(left).toBeLessThan(10);
    policy.update({ ...OPTIONS, breaker: undefined, retry: { retries: 1 } });
    expect(policy.describe().retryBudgetLeft).toBe(left);
    expect(await callsOf()).toBe(2);
  });

  it('has as many permits as they say, without forgetting who has one', async () => {
    const policy = world.policyWith();
    const held = settled(policy.execute(hangs));
    policy.update({ ...OPTIONS, bulkhead: { concurrency: 7 } });
    expect(policy.describe().permits).toEqual({ inUse: 1, limit: 7, queued: 0 });
    await world.ended(held);
  });

  it('opens when they say, counting what failed before', async () => {
    const policy = world.policyWith();
    for (let i = 0; i < 2; i++) await settled(policy.execute(fails));
    policy.update({ ...OPTIONS, breaker: { ...OPTIONS.breaker, minimumCalls: 3 } });
    expect(policy.state).toBe('closed');
    await settled(policy.execute(fails));
    expect(policy.state).toBe('open');
  });

  it('throttles as they say, by what was accepted before', async () => {
    world.random = 0.7;
    const policy = world.policyWith({ throttle: { maxReject: 0.6 }, retry: undefined });
    for (let i = 0; i < 40; i++) await settled(policy.execute(overloaded));
    await expect(policy.execute(pong)).resolves.toBe('pong');
    policy.update({ ...OPTIONS, throttle: { maxReject: 0.8 } });
    expect(await settled(policy.execute(pong))).toMatchObject({ reason: 'throttled' });
  });

  it('hedges as often as they say', async () => {
    const only = { breaker: undefined, retry: undefined };
    const policy = world.policyWith({ ...only, hedge: { budgetRatio: 0 } });
    for (let i = 0; i < 20; i++) await policy.execute(pong, { idempotent: true });
    const hedges = async (times: number) => {
      let calls = -times;
      for (let i = 0; i < times; i++) {
        let made = 0;
        const work = (signal: AbortSignal) => (calls++, ++made === 1 ? hangs(signal) : pong());
        await world.ended(policy.execute(work, { idempotent: true }), 2_000);
      }
      return calls;
    };
    expect(await hedges(4)).toBe(1);
    policy.update({ ...OPTIONS, ...only, hedge: { budgetRatio: 1 } });
    expect(await hedges(4)).toBe(4);
  });
});

describe('a throttle beside a circuit', () => {
  it('lets a probe through, whatever was refused before', async () => {
    world.random = 0;
    const policy = world.policyWith({ throttle: {}, retry: undefined });
    for (let i = 0; i < 20; i++) await settled(policy.execute(overloaded));
    world.random = 0.99;
    await settled(policy.execute(refused));
    expect(policy.state).toBe('open');
    world.random = 0;
    await world.clock.advance(10_000);
    await expect(policy.execute(pong)).resolves.toBe('pong');
  });

  it('goes on while an operator only looks at what the circuit would do', async () => {
    world.random = 0;
    const policy = world.policyWith({ throttle: {}, retry: undefined });
    const expiresAt = new Date(Date.now() + 60_000);
    policy.override({ mode: 'metrics-only', by: 'ann', reason: 'to see', expiresAt });
    for (let i = 0; i < 20; i++) await settled(policy.execute(overloaded));
    expect(await settled(policy.execute(pong))).toMatchObject({ reason: 'throttled' });
  });
});
