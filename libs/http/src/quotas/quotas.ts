import { counter } from '#libs/observability';
import { type Clock, systemClock } from '#libs/resilience';
import type { RateClassName } from '../declarations.js';
import type { RateConfig } from '../http.config.js';
import { subscriberOf } from '../network.js';
import { type Demand, Gcra, QUOTA_PERIOD_MS, type QuotaCounter, type Verdict } from './gcra.js';
import { KnownCallers } from './known-callers.js';
import type { QuotaStore } from './quota-store.js';
import { SharedGcra } from './shared-gcra.js';

/** Of a minute's quota, this much may be used at once; of a small one, so many units. */
const BURST_SHARE = 1 / 12;
const LEAST_BURST = 10;

/** What a request carries before anybody has looked at it. */
export interface Arrival {
  address: string;
  authorization?: string;
  rateClass: RateClassName;
}

/** Whose quotas a request draws on. */
export interface QuotaOwner {
  tenantId: string;
  userId: string;
  /** The session's or the API key's id. */
  credentialId: string;
  /** How many times the usual quotas all of the tenant have; 1 unless given. */
  quotaFactor?: number;
}

/** Of a quota that is used up. */
export interface UsedUp {
  /** Until what was asked for would be let through. */
  waitMs: number;
  /** Until all units are back. */
  resetMs: number;
  limit: number;
  burst: number;
}

export interface QuotaSurroundings {
  clock?: Clock;
  /** Where processes count together; absent, this one counts by itself. */
  store?: QuotaStore;
  /** Called whenever the store was tried and could not be reached. */
  onStoreAway?: () => void;
}

type Scope = 'credential' | 'user' | 'tenant' | 'address';

const refusals = counter({
  name: 'navigator_quota_refused_total',
  help: 'Requests refused because a quota was used up, by whose it was and the class of the route',
  labelNames: ['scope', 'class'],
});

/** All quotas of the process. Limits are units a minute. */
export class Quotas {
  readonly limits: Readonly<Record<RateClassName, number>>;
  readonly counter: QuotaCounter & { start?(): void; close?(): Promise<void> };
  private readonly callers: KnownCallers;

  constructor(
    private readonly config: RateConfig,
    { clock = systemClock, store, onStoreAway }: QuotaSurroundings = {},
  ) {
    const shared = { clock, processes: config.limitProcesses, onAway: onStoreAway };
    this.counter = store ? new SharedGcra(store, shared) : new Gcra(clock);
    this.callers = new KnownCallers(clock);
    this.limits = {
      auth: config.authPerMinute,
      upload: config.uploadPerMinute,
      question: config.questionPerMinute,
      search: config.searchPerMinute,
      read: config.readPerMinute,
      write: config.writePerMinute,
      probe: Infinity,
    };
  }

  /**
   * At the door, before anything was verified; undefined lets the request in. Nothing is waited for.
   *
   * An address (one /64 of IPv6) is not held against who showed a good credential within the last minute: others behind
   * the same address cannot keep him out.
   */
  refusalAtDoor({ address, authorization, rateClass }: Arrival): UsedUp | undefined {
    if (rateClass === 'probe') return undefined;
    if (rateClass === 'auth') {
      const verdict = this.counter.takeNow([this.ofLogins(address)]);
      return verdict.isBlocked ? usedUp('address', rateClass, verdict) : undefined;
    }
    const exhausted = this.callers.exhausted(authorization, rateClass);
    if (exhausted) return exhausted;
    const quota = this.ofStrangers(address);
    const waitMs = this.counter.waitMs(quota);
    if (waitMs === 0 || this.callers.tenantOf(authorization) !== undefined) return undefined;
    const { limit, burst } = quota;
    refusals.inc({ scope: 'address', class: rateClass });
    return { waitMs, resetMs: waitMs + ((burst - 1) * QUOTA_PERIOD_MS) / limit, limit, burst };
  }

  /** The tenant whose credential this was within the last minute. */
  tenantOf(authorization: string | undefined): string | undefined {
    return this.callers.tenantOf(authorization);
  }

  /** A request turned out to have no good credential, or to ask for what does not exist. */
  chargeAddress(address: string): void {
    this.counter.takeNow([this.ofStrangers(address)]);
  }

  /** Counts a request whose credential was verified: for that, for its user, and for the tenant; or for none of them. */
  take(
    caller: QuotaOwner & { authorization: string },
    rateClass: RateClassName,
    cost = 1,
  ): Verdict | Promise<Verdict> {
    const { tenantId, authorization } = caller;
    const demands = this.demandsOf(caller, rateClass, cost);
    const note = (verdict: Verdict) => {
      this.callers.noteVerified(authorization, tenantId);
      if (!verdict.isBlocked) return verdict;
      const scope = SCOPES[demands.indexOf(verdict.demand)]!;
      this.callers.noteExhausted(authorization, rateClass, usedUp(scope, rateClass, verdict));
      return verdict;
    };
    const verdict = this.counter.take(demands);
    return verdict instanceof Promise ? verdict.then(note) : note(verdict);
  }

  /**
   * What a request turned out to cost beyond what was taken for it at first, or to have cost less (negative). It is done,
   * so it is counted in any case; whoever went too far waits, for a minute at most.
   */
  settle(owner: QuotaOwner, rateClass: RateClassName, units: number): void {
    if (units === 0) return;
    for (const demand of this.demandsOf(owner, rateClass, units)) this.counter.charge(demand);
  }

  /** Begins to count with other processes, where there is a store. */
  start(): void {
    this.counter.start?.();
  }

  async close(): Promise<void> {
    await this.counter.close?.();
  }

  /** In the order of `SCOPES`. */
  private demandsOf(
    { tenantId, userId, credentialId, quotaFactor = 1 }: QuotaOwner,
    rateClass: RateClassName,
    cost: number,
  ) {
    const limit = Math.max(1, Math.round(this.limits[rateClass] * quotaFactor));
    const { userFactor, tenantFactor } = this.config;
    return [
      demand(`${rateClass} credential ${tenantId} ${credentialId}`, { limit, cost }),
      demand(`${rateClass} user ${tenantId} ${userId}`, { limit, cost, factor: userFactor }),
      demand(`${rateClass} tenant ${tenantId}`, { limit, cost, factor: tenantFactor }),
    ];
  }

  private ofLogins(address: string): Demand {
    return demand(`auth address ${subscriberOf(address)}`, { limit: this.limits.auth });
  }

  private ofStrangers(address: string): Demand {
    return demand(`stranger address ${subscriberOf(address)}`, { limit: this.config.strangerPerMinute });
  }
}

const SCOPES: readonly Scope[] = ['credential', 'user', 'tenant'];

/** @param factor how many times the limit, and what of it may be used at once */
function demand(
  key: string,
  { limit, cost = 1, factor = 1 }: { limit: number; cost?: number; factor?: number },
) {
  return { key, limit: limit * factor, burst: Math.floor(burstOf(limit) * factor), cost };
}

function usedUp(scope: Scope, rateClass: string, verdict: Verdict): UsedUp {
  refusals.inc({ scope, class: rateClass });
  const { demand, timeToBlockExpire, timeToExpire } = verdict;
  const { limit, burst } = demand;
  return { waitMs: timeToBlockExpire * 1_000, resetMs: timeToExpire * 1_000, limit, burst };
}

/** How many units of a minute's quota may be used at once. */
export function burstOf(limit: number): number {
  return Math.min(limit, Math.max(LEAST_BURST, Math.ceil(limit * BURST_SHARE)));
}
