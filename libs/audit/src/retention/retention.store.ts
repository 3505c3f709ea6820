import type { EntityManager } from 'typeorm';
import { Frontier } from '../merkle/index.js';
import { subtreesOf } from '../sealing/index.js';
import type { RetiredEntry } from './retired-file.js';

const PAGE = 1_000;

/** A tombstone in the log of a tenant. */
export interface Retirement {
  eventId: string;
  /** Events before this place. */
  to: number;
  /** Of the file, in the archive's folder of the tenant. */
  archive: string;
  toldAt: Date;
  /** When the events were deleted; null while they are waiting for a signature over their tombstone. */
  retiredAt: Date | null;
}

/** Tenants that keep their log for a time only, and for how many days: all, or those of them that are among these. */
export async function listRetaining(
  tx: EntityManager,
  among?: readonly string[],
): Promise<{ tenantId: string; days: number }[]> {
  const rows = (await tx.query(
    `select tenant_id, settings->>'audit_retention_days' as days from tenant
     where settings ? 'audit_retention_days' and ($1::uuid[] is null or tenant_id = any($1)) order by tenant_id`,
    [among ?? null],
  )) as { tenant_id: string; days: string }[];
  return rows.map(({ tenant_id, days }) => ({ tenantId: tenant_id, days: Number(days) }));
}

/** The newest first. */
export async function listRetirements(
  tx: EntityManager,
  tenantId: string,
  limit: number,
): Promise<Retirement[]> {
  const rows = (await tx.query(
    `select event_id, upto, archive, told_at, retired_at from audit_retirement
     where tenant_id = $1 order by upto desc limit $2`,
    [tenantId, limit],
  )) as { event_id: string; upto: string; archive: string; told_at: Date; retired_at: Date | null }[];
  return rows.map((row) => ({
    eventId: row.event_id,
    to: Number(row.upto),
    archive: row.archive,
    toldAt: row.told_at,
    retiredAt: row.retired_at,
  }));
}

export async function addRetirement(
  tx: EntityManager,
  tenantId: string,
  { eventId, to, archive }: Pick<Retirement, 'eventId' | 'to' | 'archive'>,
): Promise<void> {
  await tx.query(
    `insert into audit_retirement (tenant_id, event_id, upto, archive) values ($1, $2, $3, $4)`,
    [tenantId, eventId, to, archive],
  );
}

/**
 * Before which place all events from `from` on are older than so many days and none is under a legal hold. Not before the
 * first of them is a day older still, so that a tombstone stands for a day at least, unless there are many.
 *
 * @param most events
 */
export async function findRetirable(
  tx: EntityManager,
  tenantId: string,
  { from, days, most }: { from: number; days: number; most: number },
): Promise<number> {
  const [row] = (await tx.query(
    `with due as (
       select l.leaf_index, e.occurred_at from audit_leaf l
       join audit_event e on e.tenant_id = l.tenant_id and e.id = l.event_id
       where l.tenant_id = $1 and l.leaf_index >= $2 and l.leaf_index < $4
     )
     select least(
       (select max(leaf_index) + 1 from due),
       (select min(leaf_index) from due where occurred_at > now() - make_interval(days => $3)),
       audit_held_from($2, $4)
     ) as upto
     where exists (select from due where leaf_index = $2 and occurred_at < now() - make_interval(days => $3 + 1))`,
    [tenantId, from, days, from + most],
  )) as { upto: string | null }[];
  return Math.max(from, Number(row?.upto ?? from));
}

/** The tree as it was before a place. */
export async function frontierAt(tx: EntityManager, tenantId: string, size: number): Promise<Frontier> {
  const subtree = subtreesOf(tx, tenantId);
  const roots: Buffer[] = [];
  for (let begin = 0, rest = size; rest > 0;) {
    const level = Math.floor(Math.log2(rest));
    const width = 2 ** level;
    roots.push(await subtree(level, begin / width));
    begin += width;
    rest -= width;
  }
  return Frontier.from(size, Buffer.concat(roots));
}

export async function* entriesBetween(
  tx: EntityManager,
  tenantId: string,
  from: number,
  to: number,
): AsyncGenerator<RetiredEntry> {
  for (let at = from; at < to; at += PAGE) {
    const rows = (await tx.query(
      `select l.leaf_index, l.event_id, l.hash, convert_from(e.body, 'UTF8') as body
       from audit_leaf l join audit_event e on e.tenant_id = l.tenant_id and e.id = l.event_id
       where l.tenant_id = $1 and l.leaf_index >= $2 and l.leaf_index < $3 order by l.leaf_index`,
      [tenantId, at, Math.min(at + PAGE, to)],
    )) as { leaf_index: string; event_id: string; hash: Buffer; body: string }[];
    for (const { leaf_index, event_id, hash, body } of rows)
      yield { leafIndex: Number(leaf_index), eventId: event_id, hash, body };
  }
}

/** Whether a checkpoint tells of the tombstone. */
export async function isSigned(tx: EntityManager, eventId: string): Promise<boolean> {
  const [row] = (await tx.query(`select audit_tombstone_end($1) is not null as signed`, [eventId])) as [
    { signed: boolean },
  ];
  return row.signed;
}

/** Deletes what the tombstone tells of. @returns how many events */
export async function retire(tx: EntityManager, eventId: string): Promise<number> {
  const [row] = (await tx.query(`select audit_retire($1) as gone`, [eventId])) as [{ gone: string }];
  return Number(row.gone);
}

/** Held until the end of the transaction: one process at a time for each tenant. */
export async function lockForRetirement(tx: EntityManager, tenantId: string): Promise<boolean> {
  const [row] = (await tx.query(
    `select pg_try_advisory_xact_lock(${RETIREMENT_LOCK}, hashtext($1)) as leads`,
    [tenantId],
  )) as [{ leads: boolean }];
  return row.leads;
}

/** Any number; every replica must use the same one. */
const RETIREMENT_LOCK = 7_214;
