import type { DependencyUnavailable } from '#libs/errors';
import type { Clock } from '../clock.js';
import type { Attempt } from '../pipeline/attempt.js';
import type { Next, Strategy } from '../pipeline/pipeline.js';
import type { Outcome } from '../policy-types.js';
import { refusal } from '../refusal.js';
import { type CircuitBreaker, REFUSED } from './circuit-breaker.js';

export interface BreakerStrategyDependencies {
  clock: Clock;
  outcomeOf(error: unknown, attempt: Attempt): Outcome;
  /** A probe's own limit; read when a probe starts. */
  probeTimeoutMs(): number;
  onReject?(): void;
}

/** Lets an attempt through the circuit, or not, and tells the circuit what came of it. */
export class BreakerStrategy implements Strategy {
  readonly kind = 'breaker';

  constructor(
    private readonly dependency: string,
    private readonly breaker: CircuitBreaker,
    private readonly deps: BreakerStrategyDependencies,
  ) {}

  async execute(attempt: Attempt, next: Next): Promise<unknown> {
    const { breaker } = this;
    const permit = breaker.acquire();
    if (permit === REFUSED) {
      this.deps.onReject?.();
      throw circuitRefusal(this.dependency, breaker);
    }
    const isProbe = breaker.isProbe(permit);
    if (isProbe) attempt.timeoutMs = Math.min(attempt.timeoutMs, this.deps.probeTimeoutMs());
    try {
      const result = await next(attempt);
      // A probe's stream is judged by its first item: else a healthy model would be kept away for a long answer.
      if (!attempt.call.isStream || isProbe) this.record(permit, 'success', attempt);
      if (attempt.call.isStream) this.recordEnd(attempt, permit, isProbe);
      return result;
    } catch (error) {
      this.record(permit, this.deps.outcomeOf(error, attempt), attempt);
      throw error;
    }
  }

  /** How long its first item took judges a stream as slow, not how much there was to say. */
  private recordEnd(attempt: Attempt, permit: number, isProbe: boolean): void {
    const firstItemMs = attempt.elapsedMs(this.deps.clock.now());
    attempt.onEnd((outcome) => {
      if (isProbe && outcome === 'success') return;
      this.breaker.record(permit, outcome, firstItemMs);
    });
  }

  private record(permit: number, outcome: Outcome, attempt: Attempt): void {
    this.breaker.record(permit, outcome, attempt.elapsedMs(this.deps.clock.now()));
  }
}

/** At least a moment: 0 would be an invitation to a loop. */
const MIN_RETRY_AFTER_MS = 100;

/** What a call is told that its circuit does not let through. */
export function circuitRefusal(dependency: string, breaker: CircuitBreaker): DependencyUnavailable {
  const reason = breaker.state === 'isolated' ? 'isolated' : 'circuit-open';
  return refusal(dependency, reason, Math.max(MIN_RETRY_AFTER_MS, breaker.retryAfterMs));
}
