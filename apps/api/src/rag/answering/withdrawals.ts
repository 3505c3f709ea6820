import type { Caches } from '#libs/cache';
import { z } from 'zod';

/** From whom documents were withdrawn: all readers of one, one user whatever he read, or everybody of the tenant. */
export type Withdrawal = { documentId: string } | { userId: string } | 'tenant';

/**
 * Permissions that were taken back while answers that rest on them may still be kept. It is asked when the database
 * cannot be; kept where the answers are, so that whoever finds an answer finds this too. Tell it before the change is
 * committed: should that fail, an answer is lost, and no secret.
 */
export class Withdrawals {
  constructor(
    private readonly marks: {
      forTenant(tenantId: string): {
        get(key: string): Promise<number | undefined>;
        set(key: string, value: number): Promise<void>;
      };
    },
    private readonly now: () => number = Date.now,
  ) {}

  static on(
    caches: Caches,
    { staleAnswerSeconds }: { staleAnswerSeconds: number },
    now?: () => number,
  ): Withdrawals {
    const ttlSeconds = Math.max(1, staleAnswerSeconds);
    return new Withdrawals(caches.named('withdrawals', { ttlSeconds, schema: z.number() }), now);
  }

  async add(tenantId: string, withdrawals: readonly Withdrawal[]): Promise<void> {
    const marks = this.marks.forTenant(tenantId);
    await Promise.all(withdrawals.map((withdrawal) => marks.set(keyOf(withdrawal), this.now())));
  }

  /** Whether an answer of this reader, kept at `asOf` (ISO 8601), may rest on what was withdrawn from him later. */
  async concern(
    { tenantId, userId }: { tenantId: string; userId: string },
    { documentIds, asOf }: { documentIds: readonly string[]; asOf: string },
  ): Promise<boolean> {
    const marks = this.marks.forTenant(tenantId);
    const asked: Withdrawal[] = ['tenant', { userId }, ...documentIds.map((documentId) => ({ documentId }))];
    const times = await Promise.all(asked.map((withdrawal) => marks.get(keyOf(withdrawal))));
    return times.some((time) => time !== undefined && Date.parse(asOf) < time + MARGIN_MS);
  }
}

/** Longer than it takes to write an answer from what was read before, and than clocks of servers differ. */
const MARGIN_MS = 300_000;

function keyOf(withdrawal: Withdrawal): string {
  if (withdrawal === 'tenant') return 'tenant';
  return 'userId' in withdrawal ? `user:${withdrawal.userId}` : `document:${withdrawal.documentId}`;
}
