import { TimeWindow } from '../circuit-breaker/index.js';
import type { Clock, Random } from '../clock.js';
import type { ThrottleOptions } from '../options.js';
import type { Outcome } from '../policy-types.js';
import { refusal } from '../refusal.js';
import type { Attempt } from './attempt.js';
import type { Next, Strategy } from './pipeline.js';

/** Fewer calls than this in the window throttle nothing: one failure in a quiet night is no overload. */
const MINIMUM_CALLS = 10;
/** So many calls accepted in a row show that what was refused before is over. */
const RECOVERED = 5;
const RETRY_AFTER_MS = 1_000;

export interface ThrottleDependencies {
  clock: Clock;
  random: Random;
  outcomeOf(error: unknown, attempt: Attempt): Outcome;
  /** Whether this is the throttle's business: a circuit that is not closed already keeps calls away. */
  isCircuitClosed(): boolean;
  onReject(): void;
}

/**
 * Sends a dependency that accepts only a part of the calls not much more than it accepts ("client-side throttling",
 * Site Reliability Engineering, chapter 21): with `requests` made and `accepts` accepted in the window, a call is rejected
 * here with the probability (requests − k × accepts) / (requests + 1).
 */
export class ThrottleStrategy implements Strategy {
  readonly kind = 'throttle';
  /** Calls, and as failures those that were not accepted, here or there. */
  private window: TimeWindow;
  private acceptedInARow = 0;

  constructor(
    private readonly dependency: string,
    private options: ThrottleOptions,
    private readonly deps: ThrottleDependencies,
  ) {
    this.window = new TimeWindow(options.windowMs);
  }

  async execute(attempt: Attempt, next: Next): Promise<unknown> {
    if (!this.deps.isCircuitClosed()) return next(attempt);
    if (this.rejects()) {
      // Rejections count as requests, so that the less is accepted, the less is sent.
      this.count(false, { asked: false });
      this.deps.onReject();
      throw refusal(this.dependency, 'throttled', RETRY_AFTER_MS);
    }
    try {
      const result = await next(attempt);
      this.count(true);
      return result;
    } catch (error) {
      const outcome = this.deps.outcomeOf(error, attempt);
      // What was refused by a circuit or a bulkhead has not reached the dependency and says nothing about it.
      if (outcome !== 'ignored') this.count(outcome === 'slow');
      throw error;
    }
  }

  /** The dependency came back: what it refused before says nothing any more. */
  reset(): void {
    this.window.clear();
  }

  update(options: ThrottleOptions): void {
    const before = this.window;
    this.options = options;
    this.window = new TimeWindow(options.windowMs);
    this.window.adopt(before, this.deps.clock.now());
  }

  private rejects(): boolean {
    const { calls, failures } = this.window.counts(this.deps.clock.now());
    if (calls < MINIMUM_CALLS || failures === 0) return false;
    const { k, maxReject } = this.options;
    const probability = (calls - k * (calls - failures)) / (calls + 1);
    return probability > 0 && this.deps.random() < Math.min(maxReject, probability);
  }

  /** A rejection of ours neither ends nor continues a row: the dependency was not asked. */
  private count(accepted: boolean, { asked = true } = {}): void {
    const now = this.deps.clock.now();
    if (asked) this.acceptedInARow = accepted ? this.acceptedInARow + 1 : 0;
    if (this.acceptedInARow === RECOVERED && this.window.counts(now).failures > 0) this.window.clear();
    this.window.record(now, !accepted, false);
  }
}
