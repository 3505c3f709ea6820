import type { Bulkhead, BulkheadCall, Release } from '../bulkhead/index.js';
import type { Clock } from '../clock.js';
import type { Outcome } from '../policy-types.js';
import type { Attempt } from './attempt.js';
import type { Next, Strategy } from './pipeline.js';

/** A call that was given up and does not listen keeps its permit for so long, and no longer. */
const ABANDONED_MS = 5_000;

/** Makes a call only while it has a permit, and tells the bulkhead how it went. */
export class BulkheadStrategy implements Strategy {
  readonly kind = 'bulkhead';

  constructor(
    private readonly bulkhead: Bulkhead,
    private readonly clock: Clock,
    private readonly outcomeOf: (error: unknown, attempt: Attempt) => Outcome,
  ) {}

  async execute(attempt: Attempt, next: Next): Promise<unknown> {
    const { tenantId, priority, maxWaitMs, isStream } = attempt.call;
    const request: BulkheadCall = { tenantId, priority, maxWaitMs, signal: attempt.signal };
    const release = this.bulkhead.tryAcquire(request) ?? (await this.bulkhead.acquire(request));
    try {
      const result = await next(attempt);
      if (isStream) attempt.onEnd((outcome) => this.endStream(outcome, attempt, release));
      else {
        this.bulkhead.onSuccess();
        release();
      }
      return result;
    } catch (error) {
      if (this.outcomeOf(error, attempt) === 'overload') this.bulkhead.onOverload();
      this.releaseWhenOver(attempt, release);
      throw error;
    }
  }

  private endStream(outcome: Outcome, attempt: Attempt, release: Release): void {
    if (outcome === 'success') this.bulkhead.onSuccess();
    else if (outcome === 'overload') this.bulkhead.onOverload();
    this.releaseWhenOver(attempt, release);
  }

  /** The dependency still works on what was given up, until that has really ended. */
  private releaseWhenOver({ abandoned }: Attempt, release: Release): void {
    if (!abandoned) return release();
    const clearTimer = this.clock.after(ABANDONED_MS, release);
    const over = () => {
      clearTimer();
      release();
    };
    abandoned.then(over, over);
  }
}
