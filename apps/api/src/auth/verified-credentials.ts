import { createHash } from 'node:crypto';
import type { Principal } from '#libs/auth';

export interface Verified {
  principal: Principal;
  /** When the credential itself ends. */
  expiresAt: Date;
}

interface Entry {
  verified: Promise<Verified>;
  principal?: Principal;
  until: number;
}

/**
 * How long a verified credential is believed without another look: the time within which a logout, a revoked key or
 * a changed role takes hold in the other processes. In this one it does at once.
 */
const BELIEVED_MS = 5_000;
const MOST_ENTRIES = 10_000;

/**
 * Spares a signature and a query for each request. A check under way is shared by all requests with the same
 * credential; a refusal is never kept. The credentials themselves are not held, only their digests.
 */
export class VerifiedCredentials {
  private readonly entries = new Map<string, Entry>();

  constructor(private readonly now: () => number = () => Date.now()) {}

  async verify(credential: string, check: () => Promise<Verified>): Promise<Principal> {
    const key = createHash('sha256').update(credential).digest('base64');
    const known = this.entries.get(key);
    if (known && known.until > this.now()) return (await known.verified).principal;
    return this.check(key, check);
  }

  /**
   * For what was just revoked. Whose a check under way is nobody knows yet, and it may have looked before the
   * revocation: those who wait for it have its answer, those who come after it look again.
   */
  forget(matches: (principal: Principal) => boolean): void {
    for (const [key, { principal }] of this.entries)
      if (!principal || matches(principal)) this.entries.delete(key);
  }

  private async check(key: string, check: () => Promise<Verified>): Promise<Principal> {
    const entry: Entry = { verified: check(), until: this.now() + BELIEVED_MS };
    this.remember(key, entry);
    try {
      const { principal, expiresAt } = await entry.verified;
      entry.principal = principal;
      entry.until = Math.min(entry.until, expiresAt.getTime());
      return principal;
    } catch (error) {
      if (this.entries.get(key) === entry) this.entries.delete(key);
      throw error;
    }
  }

  /** All entries live equally long, so the oldest is the one that is worth least. */
  private remember(key: string, entry: Entry): void {
    this.entries.delete(key);
    this.entries.set(key, entry);
    if (this.entries.size > MOST_ENTRIES) this.entries.delete(this.entries.keys().next().value!);
  }
}
