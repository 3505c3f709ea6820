import type { EntityManager } from 'typeorm';
import type { AuditFilter, EventPosition } from './audit-query.js';
import { conditionsOf } from './audit-query.js';
import { selectEvents } from './event-paths.js';

/** An event as it was hashed. */
export interface AuditLine extends EventPosition {
  /** The exact text. */
  body: string;
  /** Its place in the tenant's tree; null while it is not sealed. */
  leafIndex: number | null;
}

/** What has been committed by now, to be read from later on. */
export async function auditSnapshot(tx: EntityManager): Promise<string> {
  const [row] = (await tx.query(`select pg_current_snapshot()::text as snapshot`)) as [{ snapshot: string }];
  return row.snapshot;
}

/** The oldest first. Events are never changed, so that pages of one snapshot belong together whenever they are read. */
export async function readAuditLines(
  tx: EntityManager,
  tenantId: string,
  filter: AuditFilter & { snapshot: string },
  { after, limit }: { after?: EventPosition; limit: number },
): Promise<AuditLine[]> {
  const rows = await selectEvents<AuditLine & { leafIndex: string | null }>(
    tx,
    tenantId,
    { ...filter, order: 'asc', after, limit },
    {
      columns: `event.id, ${MOMENT} as "occurredAt", convert_from(event.body, 'UTF8') as body,
                leaf.leaf_index as "leafIndex"`,
      joins: `left join audit_leaf leaf on leaf.tenant_id = event.tenant_id and leaf.event_id = event.id`,
    },
  );
  return rows.map((row) => ({ ...row, leafIndex: row.leafIndex === null ? null : Number(row.leafIndex) }));
}

/** How many events of the tenant have their place. */
export async function countSealed(tx: EntityManager, tenantId: string): Promise<number> {
  const [row] = (await tx.query(`select size from audit_tree where tenant_id = $1`, [tenantId])) as {
    size: string;
  }[];
  return Number(row?.size ?? 0);
}

/**
 * What was sealed after the event at a place, in the order in which it was. Places are given to events of finished
 * transactions only and without gaps: nothing can ever appear behind one that was read.
 *
 * @param after place of the last event that was read; -1 for the beginning
 * @param limit of the events that are looked at
 * @returns the events that match, and the place of the last one that was looked at
 */
export async function tailAudit(
  tx: EntityManager,
  tenantId: string,
  filter: AuditFilter,
  { after, limit }: { after: number; limit: number },
): Promise<{ lines: (AuditLine & { leafIndex: number })[]; reached: number }> {
  const values: unknown[] = [tenantId, after, limit];
  const conditions = conditionsOf(filter, (value) => `$${values.push(value)}`);
  const rows = (await tx.query(
    `select batch.leaf_index as "leafIndex", event.id, ${MOMENT} as "occurredAt", convert_from(event.body, 'UTF8') as body
     from (select leaf_index, event_id from audit_leaf
           where tenant_id = $1 and leaf_index > $2 order by leaf_index limit $3) batch
     left join audit_event event
       on ${['event.tenant_id = $1', 'event.id = batch.event_id', ...conditions].join(' and ')}
     order by batch.leaf_index`,
    values,
  )) as (AuditLine & { leafIndex: string; id: string | null })[];
  return {
    lines: rows.filter(({ id }) => id !== null).map((row) => ({ ...row, leafIndex: Number(row.leafIndex) })),
    reached: Number(rows.at(-1)?.leafIndex ?? after),
  };
}

/** The text of the time must not be what is sorted by: only the column has an index. */
export const MOMENT = `to_char(event.occurred_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;
