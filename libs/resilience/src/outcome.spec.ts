import {
  DeadlineExceeded,
  DependencyTimeout,
  DependencyUnavailable,
  FatalFailure,
  Overloaded,
  TransientFailure,
} from '#libs/errors';
import { countedAs, failureOf, isShed } from './failure.js';
import { AttemptTimeout, isRetryable, outcomeOf } from './outcome.js';

const call = { elapsedMs: 1_000 };

describe('the outcome of a call', () => {
  it.each([
    [new TransientFailure('503'), 'failure'],
    [new AttemptTimeout(5), 'failure'],
    [new Overloaded('429'), 'overload'],
    [new FatalFailure('ECONNREFUSED'), 'fatal'],
    [new TypeError('a bug'), 'ignored'],
    [new DependencyUnavailable('another'), 'ignored'],
    ['not even an error', 'ignored'],
  ] as const)('%s is %s', (error, outcome) => {
    expect(outcomeOf(error, call)).toBe(outcome);
  });

  it('is what the adapter says of its own errors, except of refusals', () => {
    const classify = () => 'overload' as const;
    expect(outcomeOf(new Error('its own'), call, classify)).toBe('overload');
    expect(outcomeOf(new DependencyUnavailable('x'), call, classify)).toBe('ignored');
    expect(outcomeOf(new TransientFailure('503'), call, () => undefined)).toBe('failure');
  });

  it('says nothing when the caller left, however long it took', () => {
    const signal = AbortSignal.abort();
    expect(outcomeOf(new TransientFailure('x'), { signal, elapsedMs: 60_000 }, undefined, 10)).toBe(
      'ignored',
    );
  });

  it('is slow when the deadline came after what counts as slow', () => {
    const signal = AbortSignal.abort(new DeadlineExceeded());
    expect(outcomeOf(signal.reason, { signal, elapsedMs: 10 }, undefined, 10)).toBe('slow');
    expect(outcomeOf(signal.reason, { signal, elapsedMs: 9 }, undefined, 10)).toBe('ignored');
    expect(outcomeOf(signal.reason, { signal, elapsedMs: 9 })).toBe('ignored');
  });

  it.each([
    [new TransientFailure('503'), true],
    [new Overloaded('429'), true],
    [new FatalFailure('ECONNREFUSED'), false],
    [new Error('a bug'), false],
  ])('%s is retryable: %s', (error, retryable) => {
    expect(isRetryable(error)).toBe(retryable);
  });
});

describe('what the caller sees of an error', () => {
  it('is the unavailability of the dependency, with why and until when', () => {
    const cause = new TransientFailure('503');
    const seen = failureOf(cause, 'model', 0);
    expect(seen).toBeInstanceOf(DependencyUnavailable);
    expect(seen).toMatchObject({ dependency: 'model', reason: 'failed', cause, retryAfterMs: 5_000 });
    expect(failureOf(cause, 'model', 1_234)).toMatchObject({ retryAfterMs: 1_234 });
    const busy = new Overloaded('429', { retryAfterMs: 9_000 });
    expect(failureOf(busy, 'model', 1_234)).toMatchObject({ reason: 'overloaded', retryAfterMs: 9_000 });
  });

  it('is a timeout of the dependency when its last attempt took too long', () => {
    expect(failureOf(new AttemptTimeout(5), 'model', 0)).toBeInstanceOf(DependencyTimeout);
  });

  it('is the error itself when it says nothing about the dependency or says it all already', () => {
    for (const error of [new TypeError('a bug'), new DeadlineExceeded(), new DependencyUnavailable('x')])
      expect(failureOf(error, 'model', 0)).toBe(error);
  });

  it('is what the adapter says of its own errors', () => {
    const own = new Error('own');
    expect(failureOf(own, 'model', 0, () => 'ignored')).toBe(own);
    expect(failureOf(own, 'model', 0, () => undefined)).toBe(own);
    expect(failureOf(own, 'model', 0, () => 'failure')).toMatchObject({ reason: 'failed', cause: own });
    expect(failureOf(own, 'model', 0, () => 'overload')).toMatchObject({ reason: 'overloaded' });
  });

  it('is counted as what it is', () => {
    const refusal = new DependencyUnavailable('x', { reason: 'queue-full' });
    expect(countedAs(refusal, refusal)).toBe('rejected');
    expect(countedAs(refusal, new TransientFailure('503'))).toBe('failure');
    expect(countedAs(new DependencyTimeout('x'), undefined)).toBe('timeout');
    expect(countedAs(new TypeError(), undefined)).toBe('error');
  });

  it.each([
    ['queue-full', true],
    ['queue-timeout', true],
    ['throttled', true],
    ['circuit-open', false],
    ['failed', false],
  ] as const)('%s is shed load: %s', (reason, shed) => {
    expect(isShed(new DependencyUnavailable('x', { reason }))).toBe(shed);
    expect(isShed(new Error(reason))).toBe(false);
  });
});
