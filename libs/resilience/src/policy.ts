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

export interface PolicyOptions {
  /** For all attempts and waits together. */
  totalTimeoutMs: number;
  attemptTimeoutMs: number;
  /** Further attempts after the first; 0 for what must not be done twice. */
  retries: number;
  /** Calls under way at once, and how many more may wait. */
  concurrency: number;
  queue: number;
  /** The circuit opens when this share of the calls of the last 10 s failed (at least `minimumRps` a second). */
  failureThreshold: number;
  minimumRps: number;
  /** How long it stays open before one call tries again. */
  openMs: number;
}

export interface Policy {
  readonly name: string;
  /**
   * Runs `call` under the policy. Its signal is aborted at the time limit and when `signal` is.
   *
   * @throws DependencyUnavailable after the last failed attempt, when the circuit is open or the queue full
   * @throws DependencyTimeout when the total time is up
   */
  execute<T>(call: (signal: AbortSignal) => Promise<T>, signal?: AbortSignal): Promise<T>;
  readonly state: 'closed' | 'open' | 'half-open' | 'isolated';
}

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
export function createPolicy(name: string, options: PolicyOptions): Policy {
  const transient = handleType(TransientFailure);
  const breaker = circuitBreaker(transient, {
    halfOpenAfter: options.openMs,
    breaker: new SamplingBreaker({
      threshold: options.failureThreshold,
      duration: BREAKER_WINDOW_MS,
      minimumRps: options.minimumRps,
    }),
  });
  breaker.onStateChange((state) => open.set({ policy: name }, state === CircuitState.Closed ? 0 : 1));
  open.set({ policy: name }, 0);

  // The signal must outlive the call: a stream is handed out at its first token and read afterwards.
  const limit = (ms: number) => timeout(ms, { strategy: TimeoutStrategy.Aggressive, abortOnReturn: false });
  const attempt = limit(options.attemptTimeoutMs);
  const chain = wrap(
    limit(options.totalTimeoutMs),
    retry(transient, { maxAttempts: options.retries, backoff: new ExponentialBackoff(BACKOFF) }),
    breaker,
    bulkhead(options.concurrency, options.queue),
  );

  return {
    name,
    get state() {
      return STATES[breaker.state];
    },
    async execute(call, signal) {
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
