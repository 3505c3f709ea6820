import type { CircuitBreaker } from './circuit-breaker/index.js';
import type { Clock } from './clock.js';
import type { PolicyOverride, PolicyState } from './policy-types.js';

/** Timers overflow after this. */
const MAX_TIMER_MS = 2_147_483_647;

type Publish = (
  type: string,
  change: { from: PolicyState; to: PolicyState; detail?: Record<string, string> },
) => void;

/** What an operator imposed on a circuit, until it is lifted or its time has passed. */
export class StandingOverride {
  current?: PolicyOverride;
  private stopExpiry?: () => void;

  constructor(
    private readonly breaker: CircuitBreaker,
    private readonly clock: Clock,
    private readonly publish: Publish,
  ) {}

  /** One that has expired already lifts what stands, as `null` does. */
  set(override: PolicyOverride | null): void {
    const endsInMs = override ? override.expiresAt.getTime() - Date.now() : 0;
    if (override && endsInMs > 0) this.impose(override, endsInMs);
    else if (this.current) this.lift('override-lifted');
  }

  /** It stands on, and no longer ends by itself. */
  dispose(): void {
    this.stopExpiry?.();
  }

  private impose({ mode: to, by, reason, expiresAt }: PolicyOverride, endsInMs: number): void {
    this.stopExpiry?.();
    const from = this.breaker.state;
    this.current = { mode: to, by, reason, expiresAt };
    this.breaker.setMode(to, this.clock.now() + endsInMs);
    // Time that has passed ends it, whatever becomes of the wall clock.
    this.stopExpiry = this.clock.after(Math.min(endsInMs, MAX_TIMER_MS), () => this.lift('override-expired'));
    this.publish(to, { from, to, detail: { by, reason, expiresAt: expiresAt.toISOString() } });
  }

  private lift(event: string): void {
    this.stopExpiry?.();
    const from = this.breaker.state;
    this.current = undefined;
    this.breaker.setMode(undefined);
    this.publish(event, { from, to: this.breaker.state });
  }
}
