import type { EntityManager } from 'typeorm';
import type { Hold } from '#libs/audit';

/** For how many days documents are kept; a collection of its own rule follows that alone. */
export interface RetentionRule {
  documentDays?: number;
  collectionDays: Readonly<Record<string, number>>;
}

/** A document that goes, or would if nothing held it. */
export interface ExpiringDocument {
  id: string;
  ownerId: string;
  collection: string | null;
  expiresAt: Date;
  held: boolean;
}

export interface ExpiryQuestion {
  tenantId: string;
  rule: RetentionRule;
  holds: readonly Hold[];
  /** How far ahead to look; 0: what goes now. */
  withinDays: number;
  /** Whether to leave out what a hold keeps. */
  withoutHeld?: boolean;
  /** This document alone. */
  id?: string;
  /** The last one of the page before. */
  after?: { expiresAt: string; id: string };
  limit: number;
}

/** Those that go first come first. `position` is the time in RFC 3339 with microseconds, which a Date does not keep. */
export async function listExpiring(
  tx: EntityManager,
  { tenantId, rule, holds, withinDays, withoutHeld = false, id, after, limit }: ExpiryQuestion,
): Promise<(ExpiringDocument & { position: string })[]> {
  const subjects = (scope: Hold['scope']) =>
    holds.filter((hold) => hold.scope === scope).map(({ subject }) => subject);
  return tx.query<(ExpiringDocument & { position: string })[]>(LIST, [
    tenantId,
    rule.documentDays ?? null,
    JSON.stringify(rule.collectionDays),
    withinDays,
    holds.some(({ scope }) => scope === 'tenant'),
    subjects('user'),
    subjects('document'),
    subjects('collection'),
    withoutHeld,
    after?.expiresAt ?? null,
    after?.id ?? null,
    limit,
    id ?? null,
  ]);
}

const LIST = `
  with dated as (
    select d.id, d.owner_id as "ownerId", d.collection,
           d.created_at + make_interval(days => coalesce(($3::jsonb ->> d.collection)::int, $2::int)) as expires,
           $5::boolean or d.owner_id::text = any ($6::text[]) or d.id::text = any ($7::text[])
             or coalesce(d.collection = any ($8::text[]), false) as held
    from document d where d.tenant_id = $1 and ($13::uuid is null or d.id = $13)
  )
  select id, "ownerId", collection, expires as "expiresAt", held, to_char(expires at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as position
  from dated
  where expires <= now() + make_interval(days => $4) and not ($9::boolean and held)
    and ($10::timestamptz is null or (expires, id) > ($10::timestamptz, $11::uuid))
  order by expires, id limit $12`;
