import { type Clock, systemClock } from '#libs/resilience';
import type { RateClassName } from '../declarations.js';
import type { RateConfig } from '../http.config.js';
import { subscriberOf } from '../network.js';
import { Gcra, type Verdict } from './gcra.js';
import { KnownCallers } from './known-callers.js';

export const QUOTA_PERIOD_MS = 60_000;
/** Of a minute's quota, this much may be used at once; of a small one, so many units. */
const BURST_SHARE = 1 / 12;
const LEAST_BURST = 10;

/** What a request carries before anybody has looked at it. */
export interface Arrival {
  address: string;
  authorization?: string;
  rateClass: RateClassName;
}

/** All quotas of the process. Limits are units a minute. */
export class Quotas {
  readonly gcra: Gcra;
  readonly limits: Readonly<Record<RateClassName, number>>;
  private readonly addresses: Gcra;
  private readonly callers: KnownCallers;

  constructor(
    private readonly config: RateConfig,
    clock: Pick<Clock, 'now'> = systemClock,
  ) {
    this.gcra = new Gcra(clock);
    this.addresses = new Gcra(clock);
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
   * At the door, before anything was verified. Milliseconds to wait; 0 lets the request in.
   *
   * An address (one /64 of IPv6) is not held against who showed a good credential within the last minute: others behind
   * the same address cannot keep him out.
   */
  waitAtDoorMs({ address, authorization, rateClass }: Arrival): number {
    if (rateClass === 'probe') return 0;
    const subscriber = subscriberOf(address);
    if (rateClass === 'auth') {
      const { timeToBlockExpire } = this.addresses.take(
        `auth ${subscriber}`,
        QUOTA_PERIOD_MS,
        this.limits.auth,
        { burst: burstOf(this.limits.auth) },
      );
      return timeToBlockExpire * 1_000;
    }
    const { strangerPerMinute } = this.config;
    const exhaustedMs = this.callers.exhaustedMs(authorization, rateClass);
    if (exhaustedMs > 0) return exhaustedMs;
    const waitMs = this.addresses.waitMs(subscriber, QUOTA_PERIOD_MS, strangerPerMinute, {
      burst: burstOf(strangerPerMinute),
    });
    return waitMs > 0 && this.callers.tenantOf(authorization) === undefined ? waitMs : 0;
  }

  /** The tenant whose credential this was within the last minute. */
  tenantOf(authorization: string | undefined): string | undefined {
    return this.callers.tenantOf(authorization);
  }

  /** A request turned out to have no good credential, or to ask for what does not exist. */
  chargeAddress(address: string): void {
    const { strangerPerMinute } = this.config;
    const burst = burstOf(strangerPerMinute);
    this.addresses.take(subscriberOf(address), QUOTA_PERIOD_MS, strangerPerMinute, { burst });
  }

  /** Counts a request whose credential was verified. */
  take(
    caller: { tenantId: string; credentialId: string; authorization: string },
    rateClass: RateClassName,
    cost = 1,
  ): Verdict {
    const { tenantId, credentialId, authorization } = caller;
    const key = `${rateClass} ${tenantId} ${credentialId}`;
    const limit = this.limits[rateClass];
    const verdict = this.gcra.take(key, QUOTA_PERIOD_MS, limit, { cost, burst: burstOf(limit) });
    this.callers.noteVerified(authorization, tenantId);
    if (verdict.isBlocked)
      this.callers.noteExhausted(authorization, rateClass, verdict.timeToBlockExpire * 1_000);
    return verdict;
  }
}

/** How many units of a minute's quota may be used at once. */
export function burstOf(limit: number): number {
  return Math.min(limit, Math.max(LEAST_BURST, Math.ceil(limit * BURST_SHARE)));
}
