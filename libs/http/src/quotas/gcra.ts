import type { ThrottlerStorage } from '@nestjs/throttler';
import { type Clock, systemClock } from '#libs/resilience';

/** In the members of @nestjs/throttler; times are seconds and may be fractions. */
export interface Verdict {
  /** Units in use at the moment, this request included. */
  totalHits: number;
  /** Until all units are back. */
  timeToExpire: number;
  isBlocked: boolean;
  /** Until a request of this cost would be let through; 0 for one that was. */
  timeToBlockExpire: number;
}

/** About 10 MB. Beyond it the key that was not used for the longest time is forgotten. */
const MOST_KEYS = 100_000;
/** A little more than the spacing of floating point numbers at the times that clocks show. */
const ROUNDING_MS = 1e-6;

/**
 * Quotas by the generic cell rate algorithm (ITU-T I.371): a key is one number, the time at which its quota is whole
 * again. A request moves it on by its cost, and is refused if that were further ahead than the burst allows; a refused
 * request costs nothing. So the burst may be used at once, and comes back evenly, unit by unit: no window begins anew at
 * which everybody starts together, and in no period more than the quota and one burst is let through.
 *
 * Kept in this process only: no other server's loss can take or double a quota.
 */
export class Gcra implements ThrottlerStorage {
  /** The least recently used first. */
  private readonly wholeAt = new Map<string, number>();
  private sweepAt = 0;

  constructor(private readonly clock: Pick<Clock, 'now'> = systemClock) {}

  get size(): number {
    return this.wholeAt.size;
  }

  /**
   * Takes `cost` of the `limit` units that `key` has for a period of `ttlMs`, of which it may use `burst` at once. What
   * costs more than the burst takes all of it.
   */
  take(key: string, ttlMs: number, limit: number, { cost = 1, burst = limit } = {}): Verdict {
    const now = this.clock.now();
    if (now >= this.sweepAt) this.sweep(now, ttlMs);
    const unitMs = ttlMs / limit;
    const before = Math.max(now, this.wholeAt.get(key) ?? 0);
    const after = before + Math.min(cost, burst) * unitMs;
    const excessMs = after - now - burst * unitMs;
    if (excessMs > ROUNDING_MS) return verdict((before - now) / unitMs + cost, before - now, excessMs);
    this.keep(key, after);
    return verdict((after - now) / unitMs, after - now, 0);
  }

  /** As @nestjs/throttler asks for it. */
  increment(key: string, ttlMs: number, limit: number): Promise<Verdict> {
    return Promise.resolve(this.take(key, ttlMs, limit));
  }

  /** Milliseconds until one unit is there; 0 when one is. Takes nothing. */
  waitMs(key: string, ttlMs: number, limit: number, { burst = limit } = {}): number {
    const wholeAt = this.wholeAt.get(key);
    if (wholeAt === undefined) return 0;
    const excessMs = wholeAt - this.clock.now() - ((burst - 1) * ttlMs) / limit;
    return excessMs > ROUNDING_MS ? excessMs : 0;
  }

  private keep(key: string, wholeAt: number): void {
    this.wholeAt.delete(key);
    this.wholeAt.set(key, wholeAt);
    if (this.wholeAt.size > MOST_KEYS) this.wholeAt.delete(this.wholeAt.keys().next().value!);
  }

  /** A key whose quota is whole again is as good as one that was never seen. */
  private sweep(now: number, ttlMs: number): void {
    this.sweepAt = now + ttlMs;
    for (const [key, wholeAt] of this.wholeAt) if (wholeAt <= now) this.wholeAt.delete(key);
  }
}

function verdict(totalHits: number, wholeInMs: number, blockedMs: number): Verdict {
  return {
    totalHits: Math.ceil(totalHits - ROUNDING_MS),
    timeToExpire: wholeInMs / 1_000,
    isBlocked: blockedMs > 0,
    timeToBlockExpire: blockedMs / 1_000,
  };
}
