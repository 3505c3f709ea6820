import type { EntityManager } from 'typeorm';
import { uuidv7 } from '#libs/database';
import { canonicalId } from '../audit-detail.js';
import { HoldNotFound, LegalHoldInForce, ReleaseNeedsAnother, ReleaseNotAsked } from './keeping.errors.js';

export const HOLD_SCOPES = ['tenant', 'user', 'document', 'collection'] as const;
export type HoldScope = (typeof HOLD_SCOPES)[number];

/** What must be neither erased nor deleted, whatever else says that it should. */
export interface Hold {
  id: string;
  scope: HoldScope;
  /** The user's or the document's id, or the collection's name; null for the whole tenant. */
  subject: string | null;
  reason: string;
  placedBy: string;
  placedAt: Date;
  /** Somebody who asked for its release; another has to confirm it. */
  releaseAskedBy: string | null;
  releaseAskedAt: Date | null;
  releasedBy: string | null;
  releasedAt: Date | null;
}

/** All that is known of what is about to be erased; for a document its owner, its id and its collection. */
export interface HoldQuestion {
  tenantId: string;
  userId?: string;
  documentId?: string;
  collection?: string;
}

/** Any number; every replica must use the same one. */
const HOLDS_LOCK = 7_215;

/** Holds of a tenant, in a transaction that sees this tenant. Every change is for the caller's `change` to record. */
export class LegalHolds {
  /**
   * The holds in force that forbid erasing this, the oldest first. With nothing but a tenant it is the tenant as a whole,
   * and every hold in it forbids that.
   */
  async covering(
    tx: EntityManager,
    { tenantId, userId, documentId, collection }: HoldQuestion,
  ): Promise<Hold[]> {
    const isWhole = userId === undefined && documentId === undefined && collection === undefined;
    const rows = (await tx.query(
      `select ${COLUMNS} from legal_hold
       where tenant_id = $1 and released_at is null
         and ($2::boolean or scope = 'tenant' or (scope, subject) in (('user', $3), ('document', $4), ('collection', $5)))
       order by placed_at, id`,
      [tenantId, isWhole, userId ?? null, documentId ?? null, collection ?? null],
    )) as HoldRow[];
    return rows.map(toHold);
  }

  /**
   * For whoever is about to erase this, in the same transaction: until it ends, no hold can be placed in the tenant.
   *
   * @throws LegalHoldInForce
   */
  async assertNone(tx: EntityManager, question: HoldQuestion): Promise<void> {
    await this.keepOut(tx, question.tenantId);
    refuseUnder(await this.covering(tx, question));
  }

  /** Until the transaction ends, no hold can be placed: what `covering` says from now on stays true. */
  async keepOut(tx: EntityManager, tenantId: string): Promise<void> {
    await tx.query(`select pg_advisory_xact_lock_shared(${HOLDS_LOCK}, hashtext($1))`, [tenantId]);
  }

  /** The newest first, also those that were released. */
  async list(
    tx: EntityManager,
    tenantId: string,
    { before, limit }: { before?: string; limit: number },
  ): Promise<Hold[]> {
    const rows = (await tx.query(
      `select ${COLUMNS} from legal_hold
       where tenant_id = $1 and ($2::uuid is null or id < $2::uuid) order by id desc limit $3`,
      [tenantId, before ?? null, limit],
    )) as HoldRow[];
    return rows.map(toHold);
  }

  /** Waits for those who are erasing something of the tenant: once it is there, nothing that it covers goes. */
  async place(
    tx: EntityManager,
    tenantId: string,
    { scope, subject, reason, placedBy }: Pick<Hold, 'scope' | 'subject' | 'reason' | 'placedBy'>,
  ): Promise<Hold> {
    await tx.query(`select pg_advisory_xact_lock(${HOLDS_LOCK}, hashtext($1))`, [tenantId]);
    const isId = scope === 'user' || scope === 'document';
    const kept = subject !== null && isId ? canonicalId(subject) : subject;
    const rows = (await tx.query(
      `insert into legal_hold (tenant_id, id, scope, subject, reason, placed_by)
       values ($1, $2, $3, $4, $5, $6) returning ${COLUMNS}`,
      [tenantId, uuidv7(), scope, kept, reason, placedBy],
    )) as HoldRow[];
    return toHold(rows[0]!);
  }

  /**
   * The first half of a release. Asking anew takes the place of whoever asked before.
   *
   * @throws HoldNotFound when there is none in force
   */
  async askRelease(tx: EntityManager, tenantId: string, id: string, userId: string): Promise<Hold> {
    await this.lock(tx, tenantId, id);
    return this.update(
      tx,
      tenantId,
      id,
      'release_asked_by = $3, release_asked_at = clock_timestamp()',
      userId,
    );
  }

  /**
   * The second half, by somebody else.
   *
   * @throws HoldNotFound when there is none in force
   * @throws ReleaseNotAsked
   * @throws ReleaseNeedsAnother
   */
  async release(tx: EntityManager, tenantId: string, id: string, userId: string): Promise<Hold> {
    const hold = await this.lock(tx, tenantId, id);
    if (hold.releaseAskedBy === null) throw new ReleaseNotAsked();
    if (hold.releaseAskedBy === userId) throw new ReleaseNeedsAnother();
    return this.update(tx, tenantId, id, 'released_by = $3, released_at = clock_timestamp()', userId);
  }

  private async lock(tx: EntityManager, tenantId: string, id: string): Promise<Hold> {
    const rows = (await tx.query(
      `select ${COLUMNS} from legal_hold where tenant_id = $1 and id = $2 and released_at is null for update`,
      [tenantId, id],
    )) as HoldRow[];
    if (!rows[0]) throw new HoldNotFound();
    return toHold(rows[0]);
  }

  private async update(
    tx: EntityManager,
    tenantId: string,
    id: string,
    change: string,
    userId: string,
  ): Promise<Hold> {
    const [rows] = (await tx.query(
      `update legal_hold set ${change} where tenant_id = $1 and id = $2 returning ${COLUMNS}`,
      [tenantId, id, userId],
    )) as [HoldRow[], number];
    return toHold(rows[0]!);
  }
}

/** @throws LegalHoldInForce unless there is none among them */
export function refuseUnder(holds: readonly Hold[]): void {
  if (holds.length > 0) throw new LegalHoldInForce(holds.map(({ id }) => id));
}

interface HoldRow {
  id: string;
  scope: HoldScope;
  subject: string | null;
  reason: string;
  placed_by: string;
  placed_at: Date;
  release_asked_by: string | null;
  release_asked_at: Date | null;
  released_by: string | null;
  released_at: Date | null;
}

const COLUMNS =
  'id, scope, subject, reason, placed_by, placed_at, release_asked_by, release_asked_at, released_by, released_at';

function toHold(row: HoldRow): Hold {
  return {
    id: row.id,
    scope: row.scope,
    subject: row.subject,
    reason: row.reason,
    placedBy: row.placed_by,
    placedAt: row.placed_at,
    releaseAskedBy: row.release_asked_by,
    releaseAskedAt: row.release_asked_at,
    releasedBy: row.released_by,
    releasedAt: row.released_at,
  };
}
