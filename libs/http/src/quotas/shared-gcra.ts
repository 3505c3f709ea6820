import { gauge } from '#libs/observability';
import { type Clock, systemClock } from '#libs/resilience';
import { type Demand, Gcra, QUOTA_PERIOD_MS, type QuotaCounter, type Verdict } from './gcra.js';
import type { Drawing, QuotaStore } from './quota-store.js';

export interface SharedGcraOptions {
  /** How many processes to reckon with until the store was reached for the first time. */
  processes: number;
  clock?: Clock;
  /** Called whenever the store was tried and could not be reached. */
  onAway?: () => void;
}

/** What this process took of a quota and the store has not confirmed, in milliseconds of its rate. */
interface Unconfirmed {
  unsentMs: number;
  sentMs: number;
}

/** What was taken here is known to the other processes after this. */
const EXCHANGE_EVERY_MS = 50;
/** A process that has nothing to say says so, to be counted. */
const HEARTBEAT_MS = 1_000;
const RETRY_MS = 250;
/** By then every process that is there has been heard of. */
const SETTLE_MS = 5_000;
/** An exchange holds up everything else in the store for about a microsecond for each of them. */
const MOST_DRAWINGS = 500;
/** Nothing is ever used further ahead than this, unless somebody else has written to the store. */
const MOST_USED_MS = 2 * QUOTA_PERIOD_MS;
/** An answer takes less. What is known is said less by so much, or the way there would pass for use. */
const ON_THE_WAY_MS = 50;
const ROUNDING_UNITS = 1e-6;

const partGauge = gauge({
  name: 'navigator_quota_part',
  help: 'The part of each quota that this process lets through by itself: 1 when it is counted with all processes (or in this one alone), 1/n while the shared store cannot be reached',
});

/**
 * Quotas that processes share, without a request waiting for the store in the common case.
 *
 * Each process counts by itself and tells the store what it took twenty times a second; the answer is what all have taken
 * together. In between it takes an n-th, among n processes, of what was left when it last heard of the quota. Only when it
 * needs more, near the end of a quota, does a request wait for the store, which then decides (one round trip).
 *
 * So all processes together let through, in any period, the quota and two bursts and what comes back between two
 * exchanges, where one process alone lets through the quota and one burst; what went too far is counted, and lacks later.
 * Why: whoever is behind by one exchange can take an n-th of a burst too much once, which all n together is one burst;
 * after its own exchange it knows better, and what it takes too much by then is less than comes back meanwhile.
 *
 * While the store cannot be reached, each process at once lets through its n-th part of each quota. When it is back, what
 * this process knows goes into it, so that an empty store is no new beginning.
 */
export class SharedGcra implements QuotaCounter {
  private readonly local: Gcra;
  private readonly unconfirmed = new Map<string, Unconfirmed>();
  private readonly clock: Clock;
  private processes: number;
  private isAway = true;
  private cameAt = 0;
  private exchangedAt = -Infinity;
  private isExchanging = false;
  private stopTicking?: () => void;

  constructor(
    private readonly store: QuotaStore,
    private readonly options: SharedGcraOptions,
  ) {
    this.clock = options.clock ?? systemClock;
    this.local = new Gcra(this.clock);
    this.processes = options.processes;
    this.leave();
    store.onLost(() => this.leave());
  }

  /** Begins to exchange, and to be counted as a process. */
  start(): void {
    this.stopTicking ??= this.clock.after(EXCHANGE_EVERY_MS, () => {
      this.stopTicking = undefined;
      this.start();
      void this.tick();
    });
  }

  /** Tells the store the rest. */
  async close(): Promise<void> {
    this.stopTicking?.();
    this.stopTicking = undefined;
    if (!this.isAway) await this.exchangeUnsent();
  }

  take(demands: readonly Demand[]): Verdict | Promise<Verdict> {
    if (this.isAway) return this.local.takeNow(demands);
    const refusal = this.local.refusalOf(demands);
    if (refusal) return refusal;
    return demands.every((demand) => this.mayTakeUnasked(demand)) ? this.takeNow(demands) : this.ask(demands);
  }

  takeNow(demands: readonly Demand[]): Verdict {
    const verdict = this.local.takeNow(demands);
    if (!verdict.isBlocked) for (const demand of demands) this.note(demand.key, costMs(demand));
    return verdict;
  }

  charge(demand: Demand): void {
    const before = this.local.usedMs(demand.key);
    this.local.charge(demand);
    this.note(demand.key, this.local.usedMs(demand.key) - before);
  }

  waitMs(quota: Omit<Demand, 'cost'>): number {
    return this.local.waitMs(quota);
  }

  /** An n-th of what was left when the store was last heard of. */
  private mayTakeUnasked({ key, limit, burst, cost }: Demand): boolean {
    const unitMs = QUOTA_PERIOD_MS / limit;
    const { unsentMs = 0, sentMs = 0 } = this.unconfirmed.get(key) ?? {};
    const unconfirmed = (unsentMs + sentMs) / unitMs;
    const left = burst - this.local.usedMs(key) / unitMs + unconfirmed;
    const part = Math.floor(left / this.processes + ROUNDING_UNITS);
    return unconfirmed + Math.min(cost, burst) <= part + ROUNDING_UNITS;
  }

  private async ask(demands: readonly Demand[]): Promise<Verdict> {
    const drawings = demands.map((demand) => ({
      ...this.drawingOf(demand.key),
      askedMs: costMs(demand),
      burstMs: (demand.burst * QUOTA_PERIOD_MS) / demand.limit,
    }));
    const isGranted = await this.exchange(drawings);
    return isGranted === undefined ? this.local.takeNow(demands) : this.local.told(demands, isGranted);
  }

  private note(key: string, ms: number): void {
    // What is taken as an n-th part is counted n times already, for all the others.
    if (this.isAway) return;
    const unconfirmed = this.unconfirmed.get(key);
    if (unconfirmed) unconfirmed.unsentMs += ms;
    else this.unconfirmed.set(key, { unsentMs: ms, sentMs: 0 });
  }

  private async tick(): Promise<void> {
    if (this.isExchanging) return;
    const idleMs = this.clock.now() - this.exchangedAt;
    if (this.isAway ? idleMs < RETRY_MS : this.unconfirmed.size === 0 && idleMs < HEARTBEAT_MS) return;
    this.isExchanging = true;
    await this.exchangeUnsent();
    this.isExchanging = false;
  }

  private async exchangeUnsent(): Promise<void> {
    const keys = [...this.unconfirmed].filter(([, { unsentMs }]) => unsentMs !== 0).map(([key]) => key);
    for (let from = 0; from === 0 || from < keys.length; from += MOST_DRAWINGS) {
      const drawings = keys.slice(from, from + MOST_DRAWINGS).map((key) => this.drawingOf(key));
      if ((await this.exchange(drawings)) === undefined) return;
    }
  }

  /** Whether what was asked for was granted; undefined when nobody knows. */
  private async exchange(drawings: readonly Drawing[]): Promise<boolean | undefined> {
    const at = this.clock.now();
    this.exchangedAt = at;
    for (const { key, spentMs } of drawings) this.send(key, spentMs);
    try {
      const { isGranted, usedMs, processes } = await this.store.exchange(drawings);
      this.come();
      this.count(processes);
      for (const [i, { key, spentMs }] of drawings.entries()) {
        const unconfirmedMs = this.confirm(key, spentMs);
        // By the time at which it was asked: later, and the way of the answer would pass for use.
        this.local.raise(key, at + Math.min(MOST_USED_MS, usedMs[i]!) + unconfirmedMs);
      }
      return isGranted;
    } catch {
      this.leave();
      this.options.onAway?.();
      return undefined;
    }
  }

  private drawingOf(key: string): Drawing {
    const { unsentMs = 0, sentMs = 0 } = this.unconfirmed.get(key) ?? {};
    const knownMs = Math.max(0, this.local.usedMs(key) - unsentMs - sentMs - ON_THE_WAY_MS);
    return { key, spentMs: unsentMs, knownMs, askedMs: 0, burstMs: 0 };
  }

  private send(key: string, spentMs: number): void {
    const unconfirmed = this.unconfirmed.get(key);
    if (!unconfirmed) return;
    unconfirmed.unsentMs -= spentMs;
    unconfirmed.sentMs += spentMs;
  }

  /** @returns what is left unconfirmed */
  private confirm(key: string, spentMs: number): number {
    const unconfirmed = this.unconfirmed.get(key);
    if (!unconfirmed) return 0;
    unconfirmed.sentMs -= spentMs;
    const leftMs = unconfirmed.unsentMs + unconfirmed.sentMs;
    if (unconfirmed.unsentMs === 0 && Math.abs(unconfirmed.sentMs) < ROUNDING_UNITS)
      this.unconfirmed.delete(key);
    return leftMs;
  }

  /** In a store that was empty, the first to come back is no proof that it is alone. */
  private count(processes: number): void {
    const hasSettled = this.clock.now() - this.cameAt > SETTLE_MS;
    this.processes = Math.max(1, processes, hasSettled ? 0 : this.processes);
  }

  private come(): void {
    if (!this.isAway) return;
    this.isAway = false;
    this.cameAt = this.clock.now();
    this.local.weight = 1;
    partGauge.set(1);
  }

  /** What is not confirmed stays counted here, and goes into the store with all else that is known when it is back. */
  private leave(): void {
    this.isAway = true;
    this.unconfirmed.clear();
    this.local.weight = this.processes;
    partGauge.set(1 / this.processes);
  }
}

function costMs({ cost, burst, limit }: Demand): number {
  return (Math.min(cost, burst) * QUOTA_PERIOD_MS) / limit;
}
