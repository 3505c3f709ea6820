import { hash } from 'node:crypto';
import type { Principal } from '#libs/auth';
import { DomainError } from '#libs/errors';

export interface Verified {
  principal: Principal;
  /** When the credential itself ends. */
  expiresAt: Date;
}

/** What was found in the database, and when. */
interface Proof extends Verified {
  foundAt: number;
}

interface Entry {
  principal: Promise<Principal>;
  /** When to look again, while it is still believed. */
  renewAt: number;
  /** When it is believed no more. */
  until: number;
  /** Of the last look that succeeded; during a new look still that of the one before. */
  proof?: Proof;
  isRevoked?: boolean;
}

export interface OutageGrace {
  /** How long what was found in the database is believed while it cannot be asked; 0: not at all. */
  graceMs: number;
  /** Whether the error says that the database cannot be asked. Anything else it says is the truth, and holds. */
  isOutage(error: unknown): boolean;
  /** Somebody was believed without a look. */
  onGrace(): void;
}

/**
 * How long a verified credential is believed without another look: the time within which a logout, a revoked key or
 * a changed role takes hold in the other processes. In this one it does at once.
 */
const BELIEVED_MS = 5_000;
/** Whoever goes on asking has the next look made for him meanwhile, so that he does not wait for it. */
const RENEWED_AFTER_MS = 3_500;
const MOST_ENTRIES = 10_000;

/**
 * Spares a signature and a query for each request. A check under way is shared by all requests with the same
 * credential; a refusal is never kept. The credentials themselves are not held, only their digests.
 *
 * While the database is away, who was found in it shortly before, by this process, goes on being believed for a while;
 * everybody else is refused with the error of the check. A credential never outlives its own end, nor a revocation
 * that this process has seen.
 */
export class VerifiedCredentials {
  private readonly entries = new Map<string, Entry>();

  constructor(
    private readonly grace: OutageGrace = { graceMs: 0, isOutage: () => false, onGrace: () => undefined },
    private readonly now: () => number = () => Date.now(),
  ) {}

  verify(credential: string, check: () => Promise<Verified>): Promise<Principal> {
    const key = hash('sha256', credential, 'base64');
    const known = this.entries.get(key);
    if (known && known.until > this.now()) {
      if (known.renewAt <= this.now()) void this.renew(key, known, check);
      return known.principal;
    }
    const entry = this.entryFrom(known?.proof);
    entry.principal = this.look(key, entry, check);
    this.remember(key, entry);
    return entry.principal;
  }

  /** Looks again while the last look is still believed. A refusal ends that; that nobody could look does not. */
  private async renew(key: string, known: Entry, check: () => Promise<Verified>): Promise<void> {
    known.renewAt = Infinity;
    const entry = this.entryFrom(known.proof);
    try {
      const verified = await check();
      this.prove(entry, verified);
      entry.principal = Promise.resolve(verified.principal);
      // It may have been revoked since this look began.
      if (this.entries.get(key) === known) this.remember(key, entry);
    } catch (error) {
      if (isRefusal(error) && this.entries.get(key) === known) this.entries.delete(key);
    }
  }

  private entryFrom(proof?: Proof): Entry {
    const now = this.now();
    return { renewAt: now + RENEWED_AFTER_MS, until: now + BELIEVED_MS, proof } as Entry;
  }

  private prove(entry: Entry, verified: Verified): void {
    entry.proof = { ...verified, foundAt: this.now() };
    entry.until = Math.min(entry.until, verified.expiresAt.getTime());
  }

  /**
   * For what was just revoked. Whose a check under way is nobody knows yet, and it may have looked before the
   * revocation: those who wait for it have its answer, those who come after it look again.
   */
  forget(matches: (principal: Principal) => boolean): void {
    for (const [key, entry] of this.entries) {
      if (entry.proof && !matches(entry.proof.principal)) continue;
      entry.isRevoked = true;
      this.entries.delete(key);
    }
  }

  private async look(key: string, entry: Entry, check: () => Promise<Verified>): Promise<Principal> {
    try {
      const verified = await check();
      this.prove(entry, verified);
      return verified.principal;
    } catch (error) {
      entry.until = 0; // The next request looks again, also when this one is believed.
      if (entry.proof && this.isBelievedWithoutLook(entry, entry.proof, error)) {
        this.grace.onGrace();
        return entry.proof.principal;
      }
      // Only a definite no ends the proof. That nobody had time to look is none: the outage may be only beginning.
      const mayBeBelievedLater = entry.proof && !entry.isRevoked && !isRefusal(error);
      if (!mayBeBelievedLater && this.entries.get(key) === entry) this.entries.delete(key);
      throw error;
    }
  }

  private isBelievedWithoutLook(entry: Entry, { foundAt, expiresAt }: Proof, error: unknown): boolean {
    if (entry.isRevoked || !this.grace.isOutage(error)) return false;
    const now = this.now();
    return now < foundAt + this.grace.graceMs && now < expiresAt.getTime();
  }

  /** The least recently checked one is worth least. */
  private remember(key: string, entry: Entry): void {
    this.entries.delete(key);
    this.entries.set(key, entry);
    if (this.entries.size > MOST_ENTRIES) this.entries.delete(this.entries.keys().next().value!);
  }
}

const isRefusal = (error: unknown) => !(error instanceof DomainError) || error.kind === 'unauthenticated';
