import { hash } from 'node:crypto';
import { type Clock, systemClock } from '#libs/resilience';
import type { RateClassName } from '../declarations.js';

interface Caller {
  tenantId?: string;
  /** Until when its credential, which was good a moment ago, is believed to be one. */
  verifiedUntil: number;
  /** Until when it has no quota left, by class. */
  readonly exhaustedUntil: Map<RateClassName, number>;
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

  noteExhausted(authorization: string, rateClass: RateClassName, ms: number): void {
    const until = this.clock.now() + ms;
    this.remember(authorization).exhaustedUntil.set(rateClass, until);
    this.anyExhaustedUntil = Math.max(this.anyExhaustedUntil, until);
  }

  /** Whose credential it was within the last minute. */
  tenantOf(authorization: string | undefined): string | undefined {
    const caller = this.find(authorization);
    return caller && caller.verifiedUntil > this.clock.now() ? caller.tenantId : undefined;
  }

  /** Milliseconds until it has a unit of the class again; 0 when it may have one. */
  exhaustedMs(authorization: string | undefined, rateClass: RateClassName): number {
    const now = this.clock.now();
    if (this.anyExhaustedUntil <= now) return 0;
    const until = this.find(authorization)?.exhaustedUntil.get(rateClass) ?? 0;
    return Math.max(0, until - now);
  }

  private find(authorization: string | undefined): Caller | undefined {
    return authorization === undefined ? undefined : this.callers.get(digestOf(authorization));
  }

  private remember(authorization: string): Caller {
    const digest = digestOf(authorization);
    const caller = this.callers.get(digest) ?? { verifiedUntil: 0, exhaustedUntil: new Map() };
    this.callers.delete(digest);
    this.callers.set(digest, caller);
    if (this.callers.size > MOST_CALLERS) this.callers.delete(this.callers.keys().next().value!);
    return caller;
  }
}

function digestOf(authorization: string): string {
  return hash('sha256', authorization, 'base64');
}
