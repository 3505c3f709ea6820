import {
  BrokenCircuitError,
  bulkhead,
  BulkheadRejectedError,
  circuitBreaker,
  CircuitState,
  ExponentialBackoff,
  handleType,
  retry,
  SamplingBreaker,
  TaskCancelledError,
  timeout,
  TimeoutStrategy,
  wrap,
} from 'cockatiel';
import { DependencyTimeout, DependencyUnavailable, TransientFailure } from '#libs/errors';
import { counter, gauge, histogram } from '#libs/observability';
import { parseOptions, type PolicyOptions } from './options.js';
import type { Policy } from './policy-types.js';

const BREAKER_WINDOW_MS = 10_000;
const BACKOFF = { initialDelay: 100, maxDelay: 2_000 };
const STATES = {
  [CircuitState.Closed]: 'closed',
  [CircuitState.Open]: 'open',
  [CircuitState.HalfOpen]: 'half-open',
  [CircuitState.Isolated]: 'isolated',
} as const;

const calls = counter({
  name: 'navigator_policy_calls_total',
  help: 'Calls through a resilience policy by outcome',
  labelNames: ['policy', 'outcome'],
});
const durations = histogram({
  name: 'navigator_policy_call_seconds',
  help: 'Duration of a call through a resilience policy, with its retries',
  labelNames: ['policy'],
});
const open = gauge({
  name: 'navigator_policy_open',
  help: '1 while the circuit of a policy lets no calls through',
  labelNames: ['policy'],
});

/**
 * One dependency's policy, in the one order that works: total timeout → retry → breaker → bulkhead → attempt timeout.
 * Only `TransientFailure` (and an attempt's timeout) is retried and counted.
 */
export function createPolicy(name: string, given: PolicyOptions): Policy {
  const options = parseOptions(name, given);
  const transient = handleType(TransientFailure);
  const breaker = circuitBreaker(transient, {
    halfOpenAfter: options.breaker?.openMs ?? 1_000,
    breaker: new SamplingBreaker({
      threshold: options.breaker?.failureRatio ?? 0.99,
      duration: BREAKER_WINDOW_MS,
      minimumRps: options.breaker ? options.breaker.minimumCalls / 10 : 1_000,
    }),
  });
  breaker.onStateChange((state) => open.set({ policy: name }, state === CircuitState.Closed ? 0 : 1));
  open.set({ policy: name }, 0);

  // The signal must outlive the call: a stream is handed out at its first token and read afterwards.
  const limit = (ms: number) => timeout(ms, { strategy: TimeoutStrategy.Aggressive, abortOnReturn: false });
  const attempt = limit(options.attemptTimeoutMs);
  const chain = wrap(
    limit(600_000),
    retry(transient, { maxAttempts: options.retry?.retries ?? 0, backoff: new ExponentialBackoff(BACKOFF) }),
    breaker,
    bulkhead(options.bulkhead?.concurrency ?? 10_000, options.bulkhead?.queue ?? 0),
  );

  return {
    name,
    get state() {
      return STATES[breaker.state];
    },
    async execute(call, { signal } = {}) {
      const stop = durations.startTimer({ policy: name });
      let totalTime: AbortSignal | undefined;
      try {
        const result = await chain.execute((outer) => {
          totalTime = outer.signal;
          return attemptOnce(call, outer.signal);
        }, signal);
        calls.inc({ policy: name, outcome: 'success' });
        return result;
      } catch (error) {
        const failure = signal?.aborted ? signal.reason : translate(name, error, totalTime);
        calls.inc({ policy: name, outcome: signal?.aborted ? 'cancelled' : outcomeOf(failure) });
        throw failure;
      } finally {
        stop();
      }
    },
    async *stream(open, { signal = new AbortController().signal } = {}) {
      yield* open(signal);
    },
    describe() {
      return {
        name,
        state: STATES[breaker.state],
        since: new Date().toISOString(),
        options,
        pipeline: [],
        window: { calls: 0, failures: 0, slow: 0, failureRatio: 0, slowRatio: 0 },
        latency: {},
        lastTransitions: [],
      };
    },
    update: (changed) => void parseOptions(name, changed),
    override: () => undefined,
    close: () => undefined,
    reset: () => undefined,
  };

  /** A call that its time limit aborted may reject with anything; whatever it is, the attempt timed out. */
  async function attemptOnce<T>(call: (signal: AbortSignal) => Promise<T>, outer: AbortSignal): Promise<T> {
    let attemptTime: AbortSignal | undefined;
    try {
      return await attempt.execute(({ signal }) => call((attemptTime = signal)), outer);
    } catch (error) {
      if (attemptTime?.aborted && !outer.aborted)
        throw new TransientFailure('the attempt timed out', { cause: error });
      throw error;
    }
  }
}

function translate(name: string, error: unknown, totalTime?: AbortSignal): unknown {
  if (error instanceof TaskCancelledError || totalTime?.aborted)
    return new DependencyTimeout(name, { cause: error });
  if (
    error instanceof BrokenCircuitError ||
    error instanceof BulkheadRejectedError ||
    error instanceof TransientFailure
  )
    return new DependencyUnavailable(name, { cause: error });
  return error;
}

function outcomeOf(failure: unknown): string {
  if (failure instanceof DependencyTimeout) return 'timeout';
  if (!(failure instanceof DependencyUnavailable)) return 'error';
  return failure.cause instanceof TransientFailure ? 'failure' : 'rejected';
}
