import { hash } from 'node:crypto';
import { type Clock, systemClock } from '#libs/resilience';
import type { RateClassName } from '../declarations.js';
import type { UsedUp } from './quotas.js';

interface Caller {
  tenantId?: string;
  /** Until when its credential, which was good a moment ago, is believed to be one. */
  verifiedUntil: number;
  /** Until when a quota that it draws on has nothing left, by class. */
  readonly exhausted: Map<RateClassName, { until: number; quota: UsedUp }>;
}

const MOST_CALLERS = 10_000;
const VERIFIED_MS = 60_000;

/**
 * What is known of a request by its Authorization header alone, before it is verified: that its quota is used up, so
 * that a flood is refused at the door; and that it was good within the last minute, so that nobody behind the same
 * address can get it refused. Neither lets anybody in: a credential is verified all the same.
 *
 * Keeps digests, the least recently used first.
 */
export class KnownCallers {
  private readonly callers = new Map<string, Caller>();
  /** The last moment at which anybody is exhausted: after it there is nothing to look up. */
  private anyExhaustedUntil = 0;

  constructor(private readonly clock: Pick<Clock, 'now'> = systemClock) {}

  get size(): number {
    return this.callers.size;
  }

  noteVerified(authorization: string, tenantId: string): void {
    const caller = this.remember(authorization);
    caller.tenantId = tenantId;
    caller.verifiedUntil = this.clock.now() + VERIFIED_MS;
  }

  noteExhausted(authorization: string, rateClass: RateClassName, quota: UsedUp): void {
    const until = this.clock.now() + quota.waitMs;
    this.remember(authorization).exhausted.set(rateClass, { until, quota });
    this.anyExhaustedUntil = Math.max(this.anyExhaustedUntil, until);
  }

  /** Whose credential it was within the last minute. */
  tenantOf(authorization: string | undefined): string | undefined {
    const caller = this.find(authorization);
    return caller && caller.verifiedUntil > this.clock.now() ? caller.tenantId : undefined;
  }

  /** The quota that it has to wait for; undefined when it may have a unit of the class. */
  exhausted(authorization: string | undefined, rateClass: RateClassName): UsedUp | undefined {
    const now = this.clock.now();
    if (this.anyExhaustedUntil <= now) return undefined;
    const { until, quota } = this.find(authorization)?.exhausted.get(rateClass) ?? {};
    if (!quota || until! <= now) return undefined;
    const waitMs = until! - now;
    return { ...quota, waitMs, resetMs: quota.resetMs - (quota.waitMs - waitMs) };
  }

  private find(authorization: string | undefined): Caller | undefined {
    return authorization === undefined ? undefined : this.callers.get(digestOf(authorization));
  }

  private remember(authorization: string): Caller {
    const digest = digestOf(authorization);
    const caller = this.callers.get(digest) ?? { verifiedUntil: 0, exhausted: new Map() };
    this.callers.delete(digest);
    this.callers.set(digest, caller);
    if (this.callers.size > MOST_CALLERS) this.callers.delete(this.callers.keys().next().value!);
    return caller;
  }
}

function digestOf(authorization: string): string {
  return hash('sha256', authorization, 'base64');
}
