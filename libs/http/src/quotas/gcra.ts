import type { ThrottlerStorage } from '@nestjs/throttler';
import { type Clock, systemClock } from '#libs/resilience';

export const QUOTA_PERIOD_MS = 60_000;

/** What a request wants of one quota: `cost` of its `limit` units a minute, of which `burst` may be used at once. */
export interface Demand {
  readonly key: string;
  readonly limit: number;
  readonly burst: number;
  /** What costs more than the burst takes all of it. */
  readonly cost: number;
}

/** In the members of @nestjs/throttler; times are seconds and may be fractions. */
export interface Verdict {
  /** Units in use at the moment, this request included. */
  totalHits: number;
  /** Until all units are back. */
  timeToExpire: number;
  isBlocked: boolean;
  /** Until a request of this cost would be let through; 0 for one that was. */
  timeToBlockExpire: number;
  /** Of the demands, the one that refused; else the one of which least is left. */
  demand: Demand;
}

/** Counts what is taken of quotas. All units are those of the demands; a demand says all that is to be known of a quota. */
export interface QuotaCounter {
  /** Takes all of the demands, or none when one of them has no room. May have to ask somebody first. */
  take(demands: readonly Demand[]): Verdict | Promise<Verdict>;
  /** The same at once, by what is known here. */
  takeNow(demands: readonly Demand[]): Verdict;
  /** What was done already: counted whether or not there is room, as a debt of a minute at most. Negative gives back. */
  charge(demand: Demand): void;
  /** Milliseconds until one unit is there; 0 when one is. Takes nothing. */
  waitMs(demand: Omit<Demand, 'cost'>): number;
}

/** About 10 MB. Beyond it the key that was not used for the longest time is forgotten. */
const MOST_KEYS = 100_000;
/** A little more than the spacing of floating point numbers at the times that clocks show. */
const ROUNDING_MS = 1e-6;
const MOST_DEBT_MS = QUOTA_PERIOD_MS;
/** Of a refusal by somebody else whose reason is over already by what is known here. */
const LEAST_WAIT_MS = 1;

/**
 * Quotas by the generic cell rate algorithm (ITU-T I.371): a key is one number, the time at which its quota is whole
 * again. A request moves it on by its cost, and is refused if that were further ahead than the burst allows; a refused
 * request costs nothing. So the burst may be used at once, and comes back evenly, unit by unit: no window begins anew at
 * which everybody starts together, and in no period more than the quota and one burst is let through.
 */
export class Gcra implements QuotaCounter, ThrottlerStorage {
  /**
   * How many times as much everything costs: with n, an n-th of each quota is let through, an n-th of a burst at once
   * (but one unit at least).
   */
  weight = 1;
  /** The least recently used first. */
  private readonly wholeAt = new Map<string, number>();
  private sweepAt = 0;

  constructor(private readonly clock: Pick<Clock, 'now'> = systemClock) {}

  get size(): number {
    return this.wholeAt.size;
  }

  take(demands: readonly Demand[]): Verdict {
    return this.takeNow(demands);
  }

  takeNow(demands: readonly Demand[]): Verdict {
    const now = this.clock.now();
    if (now >= this.sweepAt) this.sweep(now);
    const tightest = this.tightestOf(demands, now);
    const excessMs = this.excessMs(tightest, now);
    if (excessMs > ROUNDING_MS) return this.refused(tightest, excessMs, now);
    for (const demand of demands) this.add(demand.key, this.costMs(demand), now);
    return verdict(tightest, this.usedMs(tightest.key, now));
  }

  /** What would be said to the demands if they had to be refused; undefined when they have not. */
  refusalOf(demands: readonly Demand[]): Verdict | undefined {
    const now = this.clock.now();
    const tightest = this.tightestOf(demands, now);
    const excessMs = this.excessMs(tightest, now);
    return excessMs > ROUNDING_MS ? this.refused(tightest, excessMs, now) : undefined;
  }

  /** What is said to demands that somebody else has granted or refused, and that are counted here already. */
  told(demands: readonly Demand[], isGranted: boolean): Verdict {
    const now = this.clock.now();
    const tightest = this.tightestOf(demands, now);
    if (isGranted) return verdict(tightest, this.usedMs(tightest.key, now));
    return this.refused(tightest, Math.max(this.excessMs(tightest, now), LEAST_WAIT_MS), now);
  }

  charge(demand: Demand): void {
    const now = this.clock.now();
    const costMs = (demand.cost * this.weight * QUOTA_PERIOD_MS) / demand.limit;
    this.add(demand.key, Math.min(costMs, MOST_DEBT_MS - this.usedMs(demand.key, now)), now);
  }

  waitMs(quota: Omit<Demand, 'cost'>): number {
    if (!this.wholeAt.has(quota.key)) return 0;
    const excessMs = this.excessMs({ ...quota, cost: 1 }, this.clock.now());
    return excessMs > ROUNDING_MS ? excessMs : 0;
  }

  /** How far ahead of now the quota is whole again, in milliseconds. */
  usedMs(key: string, now = this.clock.now()): number {
    return Math.max(0, (this.wholeAt.get(key) ?? 0) - now);
  }

  /** Somebody knows that more was used than is known here. */
  raise(key: string, wholeAt: number): void {
    if (wholeAt > Math.max(this.clock.now(), this.wholeAt.get(key) ?? 0)) this.keep(key, wholeAt);
  }

  /** As @nestjs/throttler asks for it. */
  increment(key: string, _ttlMs: number, limit: number): Promise<Verdict> {
    return Promise.resolve(this.takeNow([{ key, limit, burst: limit, cost: 1 }]));
  }

  /** The one that has to wait longest, or is nearest to it. */
  private tightestOf(demands: readonly Demand[], now: number): Demand {
    let tightest = demands[0]!;
    if (demands.length === 1) return tightest;
    let mostMs = -Infinity;
    for (const demand of demands) {
      const excessMs = this.excessMs(demand, now);
      if (excessMs <= mostMs) continue;
      tightest = demand;
      mostMs = excessMs;
    }
    return tightest;
  }

  private refused(demand: Demand, waitMs: number, now: number): Verdict {
    return verdict(demand, this.usedMs(demand.key, now), demand.cost * this.weight, waitMs);
  }

  private excessMs(demand: Demand, now: number): number {
    const burstMs = (Math.max(demand.burst, this.weight) * QUOTA_PERIOD_MS) / demand.limit;
    return this.usedMs(demand.key, now) + this.costMs(demand) - burstMs;
  }

  /** With a weight, what costs more than this process's part of the burst takes all of that part. */
  private costMs({ cost, burst, limit }: Demand): number {
    const units = Math.min(cost * this.weight, Math.max(burst, this.weight));
    return (units * QUOTA_PERIOD_MS) / limit;
  }

  private add(key: string, ms: number, now: number): void {
    this.keep(key, Math.max(now, Math.max(now, this.wholeAt.get(key) ?? 0) + ms));
  }

  private keep(key: string, wholeAt: number): void {
    this.wholeAt.delete(key);
    this.wholeAt.set(key, wholeAt);
    if (this.wholeAt.size > MOST_KEYS) this.wholeAt.delete(this.wholeAt.keys().next().value!);
  }

  /** A key whose quota is whole again is as good as one that was never seen. */
  private sweep(now: number): void {
    this.sweepAt = now + QUOTA_PERIOD_MS;
    for (const [key, wholeAt] of this.wholeAt) if (wholeAt <= now) this.wholeAt.delete(key);
  }
}

function verdict(demand: Demand, usedMs: number, refusedUnits = 0, blockedMs = 0): Verdict {
  const used = (usedMs * demand.limit) / QUOTA_PERIOD_MS + refusedUnits;
  return {
    totalHits: Math.ceil(used - ROUNDING_MS),
    timeToExpire: usedMs / 1_000,
    isBlocked: blockedMs > 0,
    timeToBlockExpire: blockedMs / 1_000,
    demand,
  };
}
