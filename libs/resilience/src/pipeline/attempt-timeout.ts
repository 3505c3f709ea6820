import type { Clock } from '../clock.js';
import { AttemptTimeout } from '../outcome.js';
import type { Attempt } from './attempt.js';
import type { Next, Strategy } from './pipeline.js';

/** Told when a call that was really made has ended, or was given up. `error` is undefined after a success. */
export type Observe = (attempt: Attempt, elapsedMs: number, error: unknown) => void;

/**
 * Gives a call a signal of its own, which is aborted when its time is up or whoever waits leaves, and answers at that
 * moment, whether or not the call listens. After a success the signal is left alone.
 */
export class AttemptTimeoutStrategy implements Strategy {
  readonly kind = 'attempt-timeout';

  constructor(
    public timeoutMs: number,
    readonly clock: Clock,
    readonly observe?: Observe,
  ) {}

  execute(attempt: Attempt, next: Next): Promise<unknown> {
    return new Promise((resolve, reject) => new LimitedCall(this, attempt, resolve, reject).start(next));
  }
}

/** One object instead of a handful of closures, because there is one for every call. */
class LimitedCall {
  private readonly controller = new AbortController();
  private clearTimer?: () => void;
  private settled = false;

  constructor(
    private readonly strategy: AttemptTimeoutStrategy,
    private readonly attempt: Attempt,
    private readonly resolve: (value: unknown) => void,
    private readonly reject: (reason: unknown) => void,
  ) {}

  start(next: Next): void {
    const { attempt, strategy } = this;
    const { signal } = attempt;
    if (signal?.aborted) return this.reject(signal.reason);
    signal?.addEventListener('abort', this);
    const timeoutMs = Math.min(strategy.timeoutMs, attempt.timeoutMs);
    this.clearTimer = strategy.clock.after(timeoutMs, () => this.giveUp(new AttemptTimeout(timeoutMs)));
    attempt.callSignal = this.controller.signal;
    attempt.begin(strategy.clock.now());
    const call = start(attempt, next);
    attempt.abandoned = call;
    call.then(
      (value) => this.succeed(value),
      (error: unknown) => this.fail(error),
    );
  }

  /** Whoever waits has left. (`EventListener`) */
  handleEvent(): void {
    this.giveUp(this.attempt.signal!.reason);
  }

  private succeed(value: unknown): void {
    if (!this.settle(undefined)) return;
    this.attempt.abandoned = undefined;
    // A stream goes on: whoever leaves it later aborts it too.
    if (!this.attempt.call.isStream) this.leave();
    else this.attempt.onEnd((outcome) => this.endStream(outcome === 'success'));
    this.resolve(value);
  }

  private fail(error: unknown): void {
    if (!this.settle(error)) return;
    this.attempt.abandoned = undefined;
    this.leave();
    this.reject(error);
  }

  private giveUp(reason: unknown): void {
    // After the first item of a stream too, when there is nothing to settle any more.
    const first = this.settle(reason);
    this.leave();
    this.controller.abort(reason);
    if (first) this.reject(reason);
  }

  private endStream(complete: boolean): void {
    this.leave();
    if (!complete) this.controller.abort();
  }

  private settle(error: unknown): boolean {
    if (this.settled) return false;
    this.settled = true;
    this.clearTimer?.();
    const { attempt, strategy } = this;
    strategy.observe?.(attempt, attempt.elapsedMs(strategy.clock.now()), error);
    return true;
  }

  private leave(): void {
    this.attempt.signal?.removeEventListener('abort', this);
  }
}

/** A call that throws before it returns a promise is one that fails. */
function start(attempt: Attempt, next: Next): Promise<unknown> {
  try {
    return next(attempt);
  } catch (error) {
    return Promise.reject(error as Error);
  }
}
