import { ExponentialBackoff, type IBackoff, noJitterGenerator } from 'cockatiel';
import { TransientFailure } from '#libs/errors';
import type { Clock, Random } from '../clock.js';
import { remainingMs } from '../deadline.js';
import type { RetryOptions } from '../options.js';
import { isRetryable } from '../outcome.js';
import type { Attempt } from '../pipeline/attempt.js';
import type { Next, Strategy } from '../pipeline/pipeline.js';
import { isNoRetryUpstream, markNoRetryUpstream } from './no-retry-upstream.js';
import { RetryBudget } from './retry-budget.js';

export interface RetryDependencies {
  clock: Clock;
  random: Random;
  /** Of a call that succeeds; undefined until there were enough of them. */
  p50Ms(): number | undefined;
  onRetry?(): void;
  onBudgetExhausted?(): void;
}

const NOBODY = '';

/**
 * Makes an idempotent call again after a failure that may pass: after a random wait that grows, or when the dependency
 * said to come back, while there is time and budget. Only one layer retries: a failure that was retried is marked.
 */
export class RetryStrategy implements Strategy {
  readonly kind = 'retry';
  readonly budget: RetryBudget;

  constructor(
    private options: RetryOptions,
    private readonly deps: RetryDependencies,
  ) {
    this.budget = new RetryBudget(options);
  }

  update(options: RetryOptions): void {
    this.options = options;
    this.budget.update(options);
  }

  async execute(attempt: Attempt, next: Next): Promise<unknown> {
    const { idempotent, tenantId = NOBODY } = attempt.call;
    if (!idempotent) return next(attempt);
    this.budget.noteCall(tenantId, this.deps.clock.now());
    let backoff: IBackoff<unknown> | undefined;
    for (let retries = 0, current = attempt; ; retries++) {
      try {
        return await next(current);
      } catch (error) {
        backoff = backoff?.next(undefined) ?? this.firstBackoff();
        const waitMs = this.waitMs(error, backoff.duration);
        if (!this.mayRetry(error, retries, waitMs, attempt)) {
          if (retries > 0) markNoRetryUpstream(error);
          throw error;
        }
        await sleep(waitMs, this.deps.clock, attempt.signal);
        this.deps.onRetry?.();
        current = attempt.again();
      }
    }
  }

  /** The ceiling of each wait. Where in it, our own source of chance says, so that tests can know it. */
  private firstBackoff(): IBackoff<unknown> {
    const { baseMs: initialDelay, maxMs: maxDelay } = this.options;
    return new ExponentialBackoff({ generator: noJitterGenerator, initialDelay, maxDelay }).next();
  }

  private waitMs(error: unknown, ceilingMs: number): number {
    const asked = error instanceof TransientFailure ? (error.retryAfterMs ?? 0) : 0;
    return Math.max(asked, this.deps.random() * ceilingMs);
  }

  private mayRetry(error: unknown, retries: number, waitMs: number, { call, signal }: Attempt): boolean {
    if (retries >= this.options.retries || signal?.aborted) return false;
    if (!isRetryable(error) || isNoRetryUpstream(error)) return false;
    const { clock } = this.deps;
    // What cannot be done in the time that is left is not begun.
    if (waitMs + (this.deps.p50Ms() ?? 0) > remainingMs(signal, clock)) return false;
    if (this.budget.spend(call.tenantId ?? NOBODY, clock.now())) return true;
    this.deps.onBudgetExhausted?.();
    markNoRetryUpstream(error);
    return false;
  }
}

/** @throws the signal's reason at the moment it is aborted */
export function sleep(ms: number, clock: Clock, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason as Error);
    const leave = () => {
      clearTimer();
      reject(signal!.reason as Error);
    };
    const clearTimer = clock.after(ms, () => {
      signal?.removeEventListener('abort', leave);
      resolve();
    });
    signal?.addEventListener('abort', leave, { once: true });
  });
}
