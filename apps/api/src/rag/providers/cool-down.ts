import { DependencyUnavailable, Overloaded } from '#libs/errors';
import { type Clock, systemClock } from '#libs/resilience';

/** A provider that asks for more is tried nevertheless, once in this time. */
const LONGEST_MS = 60_000;

/**
 * Keeps calls away from a provider for as long as it asked for (`Retry-After`): they would be refused, and some providers
 * count them. That it has too much to do opens no circuit, so nothing else would keep them away.
 */
export class CoolDown {
  private until = 0;

  constructor(
    private readonly provider: string,
    private readonly clock: Clock = systemClock,
  ) {}

  /** @throws DependencyUnavailable while the provider wants no calls */
  pass(): void {
    const retryAfterMs = Math.ceil(this.until - this.clock.now());
    if (retryAfterMs > 0)
      throw new DependencyUnavailable(this.provider, { reason: 'overloaded', retryAfterMs });
  }

  /** Takes note of what the provider asks for, and gives the error back. */
  note(error: unknown): unknown {
    if (error instanceof Overloaded && error.retryAfterMs !== undefined)
      this.until = Math.max(this.until, this.clock.now() + Math.min(error.retryAfterMs, LONGEST_MS));
    return error;
  }
}
