import { InvalidPolicyOptions, mergeOptions, parseOptions } from './options.js';

const problemsOf = (options: unknown): string[] => {
  try {
    parseOptions('postgres', options);
    return [];
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidPolicyOptions);
    return (error as InvalidPolicyOptions).problems.map(({ option }) => option);
  }
};

describe('the options of a policy', () => {
  it('have defaults for all but what only its owner knows, and sections that are left out are off', () => {
    expect(
      parseOptions('x', { attemptTimeoutMs: 1_000, breaker: {}, retry: {}, throttle: {}, hedge: {} }),
    ).toMatchSnapshot();
    expect(parseOptions('x', { attemptTimeoutMs: 1_000 })).toEqual({ attemptTimeoutMs: 1_000 });
  });

  it.each([
    [{}, 'postgres.attemptTimeoutMs'],
    [{ attemptTimeoutMs: 0 }, 'postgres.attemptTimeoutMs'],
    [{ attemptTimeoutMs: 1, breaker: { windowMs: 5 } }, 'postgres.breaker.windowMs'],
    [{ attemptTimeoutMs: 1, breaker: { windowMS: 5_000 } }, 'postgres.breaker.windowMS'],
    [{ attemptTimeoutMs: 1, braker: {} }, 'postgres.braker'],
    [{ attemptTimeoutMs: 1, breaker: { openMs: 5_000, maxOpenMs: 4_000 } }, 'postgres.breaker.maxOpenMs'],
    [{ attemptTimeoutMs: 100, breaker: { slowCallMs: 100 } }, 'postgres.breaker.slowCallMs'],
    [
      { attemptTimeoutMs: 1, breaker: { window: 'count', size: 5, minimumCalls: 6 } },
      'postgres.breaker.minimumCalls',
    ],
    [{ attemptTimeoutMs: 1, retry: { baseMs: 500, maxMs: 100 } }, 'postgres.retry.maxMs'],
    [{ attemptTimeoutMs: 1, bulkhead: { concurrency: 2, reserved: 2 } }, 'postgres.bulkhead.reserved'],
    [
      { attemptTimeoutMs: 1, bulkhead: { concurrency: 2, adaptive: { min: 3 } } },
      'postgres.bulkhead.adaptive.min',
    ],
    ['nothing at all', 'postgres'],
  ])('%j are refused, naming %s', (options, option) => {
    expect(problemsOf(options)).toEqual([option]);
  });

  it('names everything that is wrong at once', () => {
    expect(problemsOf({ attemptTimeoutMs: 0, retry: { retries: 0 } })).toEqual([
      'postgres.attemptTimeoutMs',
      'postgres.retry.retries',
    ]);
  });

  it('are changed section by section; null turns one off', () => {
    const options = { attemptTimeoutMs: 1_000, retry: { retries: 3 }, breaker: { openMs: 1_000 } };
    const changes = { breaker: { jitter: 0 }, retry: null, bulkhead: { concurrency: 4 } };
    expect(mergeOptions(options, changes)).toEqual({
      attemptTimeoutMs: 1_000,
      breaker: { openMs: 1_000, jitter: 0 },
      bulkhead: { concurrency: 4 },
    });
    expect(options.retry).toEqual({ retries: 3 });
    expect(mergeOptions(options, 'garbage')).toBe('garbage');
  });
});
