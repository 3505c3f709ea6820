import {
  bulkhead,
  circuitBreaker,
  ConsecutiveBreaker,
  handleType,
  type IDefaultPolicyContext,
  type IPolicy,
  noop,
  retry,
  timeout,
  TimeoutStrategy,
} from 'cockatiel';
import { VirtualClock } from '../../../../test/support/virtual-clock.js';
import { TransientFailure } from '#libs/errors';
import { AttemptTimeout } from '../outcome.js';
import { Attempt, type Call } from './attempt.js';
import { AttemptTimeoutStrategy } from './attempt-timeout.js';
import { fromCockatiel } from './cockatiel.js';
import { IllegalPipeline, Pipeline, type Strategy, STRATEGY_ORDER, type StrategyKind } from './pipeline.js';

const attemptOf = (work: Call['work'], signal?: AbortSignal) =>
  new Attempt({ work, idempotent: true, priority: 'critical', isStream: false }, signal);
const pipelineOf = (...strategies: Strategy[]) => new Pipeline('test', strategies, () => 0);
const noted = (kind: StrategyKind, log: string[]): Strategy => ({
  kind,
  execute(attempt, next) {
    log.push(kind);
    return next(attempt);
  },
});

describe('Pipeline', () => {
  it('runs its strategies from the outermost to the call', async () => {
    const log: string[] = [];
    const pipeline = pipelineOf(...STRATEGY_ORDER.map((kind) => noted(kind, log)));
    await expect(pipeline.execute(attemptOf(() => Promise.resolve(log.push('call'))))).resolves.toBe(8);
    expect(log).toEqual([...STRATEGY_ORDER, 'call']);
    expect(pipeline.describe()).toEqual(STRATEGY_ORDER);
  });

  it('makes the bare call without any strategy', async () => {
    await expect(pipelineOf().execute(attemptOf(() => Promise.resolve('pong')))).resolves.toBe('pong');
  });

  it.each(
    STRATEGY_ORDER.flatMap((outer, i) => STRATEGY_ORDER.slice(0, i).map((inner) => [inner, outer] as const)),
  )('refuses %s inside of %s', (inner, outer) => {
    expect(() => pipelineOf(noted(outer, []), noted(inner, []))).toThrow(IllegalPipeline);
    expect(() => pipelineOf(noted(outer, []), noted(inner, []))).toThrow(
      `The pipeline test has ${inner} inside of ${outer}`,
    );
  });

  it('refuses a strategy that is there twice', () => {
    expect(() => pipelineOf(noted('retry', []), noted('retry', []))).toThrow('has retry twice');
  });

  it('cannot be changed', () => {
    const strategies = [noted('retry', [])];
    const pipeline = pipelineOf(...strategies);
    strategies.push(noted('breaker', []));
    expect(pipeline.strategies).toHaveLength(1);
    expect(() => (pipeline.strategies as Strategy[]).push(noted('breaker', []))).toThrow(TypeError);
  });
});

describe('an attempt', () => {
  it('begins when its call is made, once', async () => {
    let now = 100;
    const pipeline = new Pipeline('test', [], () => now);
    const attempt = attemptOf(() => Promise.resolve());
    expect(attempt.elapsedMs(now)).toBe(0);
    await pipeline.execute(attempt);
    now = 130;
    expect(attempt.elapsedMs(now)).toBe(30);
    await pipeline.execute(attempt);
    expect(attempt.elapsedMs(now)).toBe(30);
  });

  it('that is made again begins anew, and the first knows it', async () => {
    let now = 100;
    const pipeline = new Pipeline('test', [], () => now);
    const first = attemptOf(() => Promise.resolve());
    await pipeline.execute(first);
    now = 150;
    await pipeline.execute(first.again());
    expect(first.elapsedMs(160)).toBe(10);
  });
});

describe('a stock policy of cockatiel', () => {
  const transient = handleType(TransientFailure);

  it('fits beside ours in its place: its breaker around our attempt', async () => {
    const clock = new VirtualClock();
    const stock = circuitBreaker(transient, { halfOpenAfter: 1_000, breaker: new ConsecutiveBreaker(2) });
    const pipeline = pipelineOf(fromCockatiel('breaker', stock), new AttemptTimeoutStrategy(50, clock));
    const hang = () => new Promise<never>(() => undefined);
    for (let i = 0; i < 2; i++) {
      const call = pipeline.execute(attemptOf(hang)).catch((error: unknown) => error);
      await clock.advance(50);
      expect(await call).toBeInstanceOf(AttemptTimeout);
    }
    await expect(pipeline.execute(attemptOf(() => Promise.resolve()))).rejects.toThrow(/circuit|breaker/i);
  });

  it('retries around our strategies, each time with a new attempt', async () => {
    const attempts: Attempt[] = [];
    const ours: Strategy = {
      kind: 'breaker',
      execute: (attempt, next) => (attempts.push(attempt), next(attempt)),
    };
    const pipeline = pipelineOf(fromCockatiel('retry', retry(transient, { maxAttempts: 2 })), ours);
    let calls = 0;
    const work = () => (++calls < 3 ? Promise.reject(new TransientFailure('503')) : Promise.resolve(calls));
    await expect(pipeline.execute(attemptOf(work))).resolves.toBe(3);
    expect(new Set(attempts).size).toBe(3);
  });

  it('hands on the signal that it aborts, and its timeout is an attempt timeout', async () => {
    let seen: AbortSignal | undefined;
    const pipeline = pipelineOf(fromCockatiel('attempt-timeout', timeout(5, TimeoutStrategy.Aggressive)));
    const work = (signal: AbortSignal) => {
      seen = signal;
      return new Promise<never>(() => undefined);
    };
    await expect(pipeline.execute(attemptOf(work))).rejects.toBeInstanceOf(AttemptTimeout);
    expect(seen!.aborted).toBe(true);
  });

  it('rejects with the reason of a caller who leaves', async () => {
    const caller = new AbortController();
    const pipeline = pipelineOf(fromCockatiel('bulkhead', bulkhead(1)));
    const work = (signal: AbortSignal) =>
      new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(new Error('any'))));
    const call = pipeline.execute(attemptOf(work, caller.signal));
    caller.abort('left');
    await expect(call).rejects.toBe('left');
  });

  it('is held to the order too', () => {
    const stock: IPolicy<IDefaultPolicyContext> = noop;
    expect(() => pipelineOf(fromCockatiel('bulkhead', stock), fromCockatiel('retry', stock))).toThrow(
      IllegalPipeline,
    );
  });
});
