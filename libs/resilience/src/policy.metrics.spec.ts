import { newContext, runInContext, sumOfMetric } from '#libs/observability';
import { Overloaded } from '#libs/errors';
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
import type { PolicyOptions } from './options.js';
import type { Policy } from './policy-types.js';

let world: PolicyWorld;
let name: string;
let policies = 0;
beforeEach(() => {
  world = new PolicyWorld();
  // Metrics are the process's and go on from test to test.
  name = `counted-${++policies}`;
});
afterEach(() => world.close());

const policyWith = (changes: Partial<PolicyOptions> = {}) =>
  world.registry.define(name, { ...OPTIONS, ...changes });
const calls = (outcome: string) => sumOfMetric('navigator_policy_calls_total', { policy: name, outcome });
const events = (event: string) => sumOfMetric('navigator_resilience_events_total', { policy: name, event });
async function* endless() {
  for (;;) yield 'a';
}
const failing = () => ({ [Symbol.asyncIterator]: () => ({ next: fails }) });

describe('the metric of calls', () => {
  const left = AbortSignal.abort('left');

  it.each<[string, string, (policy: Policy) => Promise<unknown>]>([
    ['what succeeds', 'success', (policy) => policy.execute(pong)],
    ['what fails', 'failure', (policy) => policy.execute(fails)],
    ['what takes too long', 'timeout', (policy) => policy.execute(hangs)],
    ['a bug', 'error', (policy) => policy.execute(() => Promise.reject(new TypeError('a bug')))],
    ['what nobody waits for', 'cancelled', (policy) => policy.execute(pong, { signal: left })],
    ['a stream that fails', 'failure', (policy) => policy.stream(failing).next()],
    ['a stream nobody waits for', 'cancelled', (policy) => policy.stream(endless, { signal: left }).next()],
  ])('counts %s as %s, once', async (_, outcome, make) => {
    await world.ended(make(policyWith()));
    expect(await calls(outcome)).toBe(1);
    expect(await sumOfMetric('navigator_policy_calls_total', { policy: name })).toBe(1);
  });

  it('counts a refusal, of the circuit as of the queue', async () => {
    const policy = policyWith({ bulkhead: { concurrency: 1, queue: 0 } });
    const held = settled(policy.execute(hangs));
    await settled(policy.execute(pong));
    expect(await calls('rejected')).toBe(1);
    await world.ended(held);
    await settled(policy.execute(refused));
    await settled(policy.execute(pong));
    expect(await calls('rejected')).toBe(2);
    expect(await events('rejected')).toBe(1);
  });

  it('counts a stream at its end, by how it ended', async () => {
    const policy = policyWith();
    const stream = policy.stream(async function* () {
      yield 'a';
    });
    await stream.next();
    expect(await calls('success')).toBe(0);
    await stream.next();
    expect(await calls('success')).toBe(1);
    for await (const _ of policy.stream(endless)) break;
    expect(await calls('cancelled')).toBe(1);
    expect(await sumOfMetric('navigator_policy_calls_total', { policy: name })).toBe(2);
  });

  it('has all calls by key under the name of their template', async () => {
    policyWith();
    await world.registry.keyed(name, 'one.example').execute(pong);
    await world.registry.keyed(name, 'two.example').execute(pong);
    expect(await calls('success')).toBe(2);
  });
});

describe('the metrics of time', () => {
  /** Of a histogram with one observation: the buckets that reach so far, its count of one, and the seconds. */
  const observed = (buckets: number, seconds: number) => buckets + 1 + seconds;

  it('have the whole call, and each attempt by its outcome, in seconds', async () => {
    const policy = policyWith({ retry: { retries: 1, baseMs: 100 } });
    await world.clock.advance(5_000);
    let made = 0;
    const call = policy.execute(() => world.clock.sleep(400).then(++made === 1 ? fails : pong), {
      idempotent: true,
    });
    expect(await world.ended(call)).toBe('pong');
    const attempts = (outcome: string) =>
      sumOfMetric('navigator_policy_attempt_seconds', { policy: name, outcome });
    // 0.5, 1, 2.5, 5, 10, 30, 120 and infinity are longer than 0.4 s; the call waited 0.05 s between them.
    expect(await attempts('failure')).toBeCloseTo(observed(8, 0.4), 6);
    expect(await attempts('success')).toBeCloseTo(observed(8, 0.4), 6);
    expect(await sumOfMetric('navigator_policy_call_seconds', { policy: name })).toBeCloseTo(
      observed(7, 0.85),
      6,
    );
  });
});

describe('the metric of events', () => {
  it('has retries, attempts that took too long and changes of state', async () => {
    const policy = policyWith();
    await world.ended(policy.execute(hangs, { idempotent: true }));
    expect(await events('retry')).toBe(2);
    expect(await events('attempt-timeout')).toBe(3);
    await settled(policy.execute(refused));
    expect(await events('opened')).toBe(1);
    expect(await events('attempt-timeout')).toBe(3);
  });

  it('has a retry that the circuit refused, because it opened before', async () => {
    const policy = policyWith({ breaker: { minimumCalls: 1 } });
    await world.ended(policy.execute(fails, { idempotent: true }));
    expect(await events('retry')).toBe(1);
    expect(await events('rejected')).toBe(1);
  });

  it('has what a throttle rejected', async () => {
    world.random = 0;
    const policy = policyWith({ throttle: {}, retry: undefined });
    for (let i = 0; i < 20; i++) await settled(policy.execute(() => Promise.reject(new Overloaded('429'))));
    const before = await events('throttled');
    await settled(policy.execute(pong));
    expect(await events('throttled')).toBe(before! + 1);
  });

  it('has calls that were made twice at once', async () => {
    const policy = policyWith({ hedge: {} });
    for (let i = 0; i < 40; i++) await policy.execute(pong, { idempotent: true });
    let made = 0;
    const call = policy.execute((signal) => (++made === 1 ? hangs(signal) : pong()), { idempotent: true });
    expect(await world.ended(call, 50)).toBe('pong');
    expect(await events('hedge')).toBe(1);
  });

  it('has each retry that there was no budget for, and the history one a second', async () => {
    const policy = policyWith({ breaker: undefined, retry: { retries: 1, baseMs: 1 } });
    const fail = async (times: number) => {
      for (let i = 0; i < times; i++) await world.ended(policy.execute(fails, { idempotent: true }), 1);
    };
    const told = () =>
      world.registry.events.list(name).filter(({ type }) => type === 'retry-budget-exhausted').length;
    await fail(40);
    const counted = (await events('retry-budget-exhausted'))!;
    expect(counted).toBeGreaterThan(10);
    expect(told()).toBe(1);
    await world.clock.advance(1_000);
    await fail(5);
    expect(await events('retry-budget-exhausted')).toBeGreaterThan(counted);
    expect(told()).toBe(2);
  });
});

describe('the metric of what was shed', () => {
  const shed = (priority: string, reason: string) =>
    sumOfMetric('navigator_shed_total', { class: priority, reason });

  it('has what found no place in a queue, by how much it mattered', async () => {
    const policy = policyWith({ bulkhead: { concurrency: 1, queue: 0 } });
    const held = settled(policy.execute(ignoring));
    const [critical, other] = [
      await shed('critical', 'queue-full'),
      await shed('sheddable-plus', 'queue-full'),
    ];
    const context = newContext({ requestId: 'r' });
    context.priority = 'critical';
    await runInContext(context, () => settled(policy.execute(pong)));
    expect(await shed('critical', 'queue-full')).toBe(critical! + 1);
    await settled(policy.execute(pong));
    expect(await shed('sheddable-plus', 'queue-full')).toBe(other! + 1);
    await world.ended(held);
  });

  it('does not have what a circuit refused', async () => {
    const before = await sumOfMetric('navigator_shed_total');
    const policy = policyWith();
    await settled(policy.execute(refused));
    await settled(policy.execute(pong));
    expect(await sumOfMetric('navigator_shed_total')).toBe(before);
  });
});

describe('the gauges', () => {
  const gauge = (what: string) => sumOfMetric(`navigator_policy_${what}`, { policy: name });

  it('show how a policy is at the moment that they are read', async () => {
    const policy = policyWith({ bulkhead: { concurrency: 1, queue: 9, tenantShare: 1 } });
    for (let i = 0; i < 3; i++) await policy.execute(pong);
    await world.ended(
      policy.execute(() => world.clock.sleep(600)),
      600,
    );
    expect(await gauge('slow_ratio')).toBe(0.25);
    expect(await gauge('failure_ratio')).toBe(0);
    expect(await gauge('retry_budget')).toBe(10);
    const calls = [1, 2, 3].map(() => settled(policy.execute(hangs)));
    await world.clock.advance(0);
    expect(await gauge('queued')).toBe(2);
    expect(await gauge('permits_in_use')).toBe(1);
    await world.ended(Promise.all(calls));
    expect(await gauge('queued')).toBe(0);
  });

  it.each(['isolated', 'disabled', 'metrics-only'] as const)('show that it is %s', async (mode) => {
    const expiresAt = new Date(Date.now() + 60_000);
    policyWith().override({ mode, by: 'ann', reason: 'to see', expiresAt });
    expect(await sumOfMetric('navigator_policy_state', { policy: name, state: mode })).toBe(1);
    expect(await gauge('state')).toBe(1);
  });

  it('show that a circuit is half open', async () => {
    const policy = policyWith({ breaker: { ...OPTIONS.breaker, successes: 2 } });
    await settled(policy.execute(refused));
    await world.clock.advance(5_000);
    await policy.execute(pong);
    expect(await sumOfMetric('navigator_policy_state', { policy: name, state: 'half-open' })).toBe(1);
  });

  it('show nothing of a policy without permits and calls, and of one that is gone', async () => {
    world.registry.define(name, { attemptTimeoutMs: 1_000 });
    expect(await gauge('failure_ratio')).toBe(0);
    expect(await gauge('state')).toBe(1);
    expect(await gauge('permits_limit')).toBe(0);
    world.close();
    expect(await gauge('state')).toBe(0);
  });
});
