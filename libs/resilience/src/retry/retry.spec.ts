import { VirtualClock } from '../../../../test/support/virtual-clock.js';
import { DependencyUnavailable, FatalFailure, Overloaded, TransientFailure } from '#libs/errors';
import { deadlineSignal } from '../deadline.js';
import { AttemptTimeout } from '../outcome.js';
import { parseOptions, type PolicyOptions } from '../options.js';
import { Attempt } from '../pipeline/attempt.js';
import { isNoRetryUpstream, markNoRetryUpstream } from './no-retry-upstream.js';
import { RetryBudget } from './retry-budget.js';
import { RetryStrategy } from './retry-strategy.js';

const failure = () => new TransientFailure('503');

describe('RetryStrategy', () => {
  let clock: VirtualClock;
  let random: number;
  let p50Ms: number | undefined;
  let retried: number;
  let exhausted: number;
  let madeAt: number[];

  beforeEach(() => {
    clock = new VirtualClock();
    [random, p50Ms, retried, exhausted, madeAt] = [0.5, undefined, 0, 0, []];
  });

  function retryWith(options: NonNullable<PolicyOptions['retry']> = {}) {
    const { retry } = parseOptions('test', { attemptTimeoutMs: 1, retry: options });
    return new RetryStrategy(retry!, {
      clock,
      random: () => random,
      p50Ms: () => p50Ms,
      onRetry: () => retried++,
      onBudgetExhausted: () => exhausted++,
    });
  }
  const attemptWith = ({ signal, idempotent = true }: { signal?: AbortSignal; idempotent?: boolean } = {}) =>
    new Attempt(
      { work: () => Promise.resolve(), idempotent, priority: 'critical', isStream: false, tenantId: 'a' },
      signal,
    );
  /** Fails with these, one after the other, then succeeds. */
  const failing = (...errors: unknown[]) => {
    const left = [...errors];
    return () => {
      madeAt.push(clock.now());
      return left.length > 0 ? Promise.reject(left.shift() as Error) : Promise.resolve('pong');
    };
  };
  async function outcome(call: Promise<unknown>) {
    const settled = call.catch((error: unknown) => error);
    await clock.advance(60_000);
    return settled;
  }

  it('tries again after a random part of a wait that doubles', async () => {
    const strategy = retryWith({ retries: 5 });
    const result = outcome(strategy.execute(attemptWith(), failing(...Array.from({ length: 5 }, failure))));
    expect(await result).toBe('pong');
    expect(madeAt).toEqual([0, 50, 150, 350, 750, 1_550]);
    expect(retried).toBe(5);
  });

  it('waits no longer than its maximum', async () => {
    const strategy = retryWith({ retries: 4, baseMs: 1_000, maxMs: 2_000 });
    await outcome(strategy.execute(attemptWith(), failing(...Array.from({ length: 4 }, failure))));
    expect(madeAt).toEqual([0, 500, 1_500, 2_500, 3_500]);
  });

  it('may not wait at all, which is what full jitter means', async () => {
    random = 0;
    await outcome(retryWith().execute(attemptWith(), failing(failure())));
    expect(madeAt).toEqual([0, 0]);
  });

  it('gives the last error when all attempts failed, marked for those outside', async () => {
    const errors = [failure(), failure(), failure()];
    expect(await outcome(retryWith().execute(attemptWith(), failing(...errors)))).toBe(errors[2]);
    expect(madeAt).toHaveLength(3);
    expect(isNoRetryUpstream(errors[2])).toBe(true);
  });

  it('retries an attempt that timed out', async () => {
    expect(await outcome(retryWith().execute(attemptWith(), failing(new AttemptTimeout(5))))).toBe('pong');
  });

  it('comes back when the dependency asked for it', async () => {
    const busy = new Overloaded('429', { retryAfterMs: 7_000 });
    expect(await outcome(retryWith().execute(attemptWith(), failing(busy)))).toBe('pong');
    expect(madeAt).toEqual([0, 7_000]);
  });

  it.each([
    ['a fatal failure', new FatalFailure('refused')],
    ['a refusal', new DependencyUnavailable('test', { reason: 'circuit-open' })],
    ['a bug', new TypeError('a bug')],
  ])('does not retry %s', async (_, error) => {
    expect(await outcome(retryWith().execute(attemptWith(), failing(error)))).toBe(error);
    expect(madeAt).toHaveLength(1);
    expect(isNoRetryUpstream(error)).toBe(false);
  });

  it('does not retry what is not declared idempotent', async () => {
    const error = failure();
    const attempt = attemptWith({ idempotent: false });
    expect(await outcome(retryWith().execute(attempt, failing(error)))).toBe(error);
    expect(madeAt).toHaveLength(1);
  });

  it('does not retry what another layer has retried, however it is wrapped', async () => {
    const inner = failure();
    markNoRetryUpstream(inner);
    const error = new TransientFailure('again', { cause: new Error('wrapped', { cause: inner }) });
    expect(await outcome(retryWith().execute(attemptWith(), failing(error)))).toBe(error);
    expect(madeAt).toHaveLength(1);
  });

  it('begins nothing that the time left is too short for', async () => {
    p50Ms = 400;
    const tight = deadlineSignal(449, { clock });
    const error = failure();
    expect(await outcome(retryWith().execute(attemptWith({ signal: tight.signal }), failing(error)))).toBe(
      error,
    );
    expect(madeAt).toHaveLength(1);
    const enough = deadlineSignal(450, { clock });
    expect(
      await outcome(retryWith().execute(attemptWith({ signal: enough.signal }), failing(failure()))),
    ).toBe('pong');
  });

  it('stops waiting at the moment its caller leaves, and calls no more', async () => {
    const caller = new AbortController();
    const strategy = retryWith({ baseMs: 10_000, maxMs: 10_000 });
    const call = strategy
      .execute(attemptWith({ signal: caller.signal }), failing(failure()))
      .catch((error: unknown) => error);
    await clock.advance(100);
    caller.abort('left');
    expect(await call).toBe('left');
    expect(clock.pending).toBe(0);
    expect(madeAt).toHaveLength(1);
  });

  it('gives the first error when the budget is exhausted', async () => {
    random = 0;
    const strategy = retryWith({ budgetRatio: 0, budgetPerSecond: 0.1 });
    const settle = async (call: Promise<unknown>) => {
      const settled = call.catch((error: unknown) => error);
      await clock.advance(1);
      return settled;
    };
    expect(await settle(strategy.execute(attemptWith(), failing(failure())))).toBe('pong');
    const error = failure();
    expect(await settle(strategy.execute(attemptWith(), failing(error)))).toBe(error);
    expect(exhausted).toBe(1);
    expect(isNoRetryUpstream(error)).toBe(true);
  });
});

describe('the mark of a failure that nobody outside may retry', () => {
  it('is found in what an error was made of, to a depth', () => {
    const inner = new TransientFailure('503');
    markNoRetryUpstream(inner);
    const wrapped = (depth: number): Error =>
      depth === 0 ? inner : new Error(`wrapped ${depth}`, { cause: wrapped(depth - 1) });
    expect(isNoRetryUpstream(wrapped(7))).toBe(true);
    expect(isNoRetryUpstream(wrapped(8))).toBe(false);
    expect(isNoRetryUpstream(new Error('another', { cause: new Error('cause') }))).toBe(false);
  });

  it('is looked for once in an error that is its own cause', () => {
    const circular = new Error('circular');
    circular.cause = circular;
    expect(isNoRetryUpstream(circular)).toBe(false);
  });

  it.each(['a text', undefined, null])('is not for what is no error (%s)', (thrown) => {
    markNoRetryUpstream(thrown);
    expect(isNoRetryUpstream(thrown)).toBe(false);
  });
});

describe('RetryBudget', () => {
  const budget = () => new RetryBudget({ budgetRatio: 0.1, budgetPerSecond: 1 });
  const spent = (of: RetryBudget, tenant: string, now: number) => {
    let count = 0;
    while (of.spend(tenant, now)) count++;
    return count;
  };

  it('allows a retry a second over its window to who makes hardly any calls', () => {
    expect(spent(budget(), 'a', 0)).toBe(10);
  });

  it('allows a tenth of the calls besides', () => {
    const shared = budget();
    for (let i = 0; i < 1_000; i++) shared.noteCall('a', 0);
    expect(spent(shared, 'a', 0)).toBe(110);
  });

  it('gives each tenant its own, until all together have a fifth', () => {
    const shared = budget();
    for (const tenant of ['a', 'b', 'c', 'd']) for (let i = 0; i < 100; i++) shared.noteCall(tenant, 0);
    expect(shared.remaining(0)).toBe(90);
    expect(['a', 'b', 'c', 'd'].map((tenant) => spent(shared, tenant, 0))).toEqual([20, 20, 20, 20]);
    expect(['e', 'f'].map((tenant) => spent(shared, tenant, 0))).toEqual([10, 0]);
    expect(shared.remaining(0)).toBe(0);
  });

  it('forgets after ten seconds', () => {
    const shared = budget();
    spent(shared, 'a', 0);
    expect(shared.spend('a', 9_000)).toBe(false);
    expect(shared.spend('a', 10_500)).toBe(true);
  });

  it('is full again after a reset, and takes new options for what it has counted', () => {
    const shared = budget();
    spent(shared, 'a', 0);
    shared.update({ budgetRatio: 0, budgetPerSecond: 2 });
    expect(shared.remaining(0)).toBe(10);
    shared.reset();
    expect(spent(shared, 'a', 0)).toBe(20);
  });
});
