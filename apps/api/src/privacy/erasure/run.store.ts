import type { EntityManager } from 'typeorm';

/** The two things that take a while, may be taken back for a while, and go on after a crash. */
export type RunTable = 'erasure' | 'tenant_deletion';

export type RunState = 'waiting' | 'running' | 'done' | 'cancelled';

/** How many rows or files went, by table or kind. */
export type Counts = Readonly<Record<string, number>>;

/** One in the hands of a worker. */
export interface ClaimedRun {
  tenantId: string;
  id: string;
  leaseToken: string;
}

/** The one that has been due for longest, also one whose worker has given no sign of life. As a worker. */
export async function claimDue(
  tx: EntityManager,
  table: RunTable,
  leaseMs: number,
): Promise<ClaimedRun | undefined> {
  const [rows] = await tx.query<[ClaimedRun[], number]>(
    `update ${table} set state = 'running', lease_token = gen_random_uuid(),
            lease_until = now() + make_interval(secs => $1 / 1000.0)
     where id = (select id from ${table}
                 where state in ('waiting', 'running') and run_at <= now()
                   and (lease_until is null or lease_until < now())
                 order by run_at limit 1 for update skip locked)
     returning tenant_id as "tenantId", id, lease_token as "leaseToken"`,
    [leaseMs],
  );
  return rows[0];
}

/** Nobody else has it until the end of the transaction. False when somebody else has it now. */
export async function hold(
  tx: EntityManager,
  table: RunTable,
  { tenantId, id, leaseToken }: ClaimedRun,
): Promise<boolean> {
  const rows = await tx.query<unknown[]>(
    `select from ${table} where tenant_id = $1 and id = $2 and lease_token = $3 for update`,
    [tenantId, id, leaseToken],
  );
  return rows.length > 0;
}

/** In the transaction of what is counted, so that a crash neither loses nor doubles it. */
export async function addCounts(
  tx: EntityManager,
  table: RunTable,
  { tenantId, id }: ClaimedRun,
  counts: Counts,
  leaseMs: number,
): Promise<void> {
  await tx.query(
    `update ${table} set lease_until = now() + make_interval(secs => $4 / 1000.0), counts = coalesce((
       select jsonb_object_agg(key, total) from (
         select key, sum(value::bigint) as total
         from (select * from jsonb_each_text(counts) union all select * from jsonb_each_text($3::jsonb)) each
         group by key having sum(value::bigint) > 0) totals), '{}')
     where tenant_id = $1 and id = $2`,
    [tenantId, id, JSON.stringify(counts), leaseMs],
  );
}

/** Somebody takes it up `delayMs` from now. One of which nothing has gone yet can be cancelled again. */
export async function putBack(
  tx: EntityManager,
  table: RunTable,
  { tenantId, id, leaseToken }: ClaimedRun,
  delayMs: number,
): Promise<void> {
  await tx.query(
    `update ${table} set lease_token = null, lease_until = null,
            state = case when counts = '{}' then 'waiting' else state end, run_at = now() + make_interval(secs => $4 / 1000.0)
     where tenant_id = $1 and id = $2 and lease_token = $3`,
    [tenantId, id, leaseToken, delayMs],
  );
}

/** The counts are its receipt. */
export async function finish(
  tx: EntityManager,
  table: RunTable,
  { tenantId, id }: ClaimedRun,
): Promise<Counts> {
  const forgotten = table === 'erasure' ? ', user_id = null' : '';
  const [rows] = await tx.query<[{ counts: Counts }[], number]>(
    `update ${table} set state = 'done', finished_at = now(), lease_token = null, lease_until = null ${forgotten}
     where tenant_id = $1 and id = $2 returning counts`,
    [tenantId, id],
  );
  return rows[0]!.counts;
}

/** False when it has begun or ended: it cannot be taken back any more. */
export async function cancelWaiting(
  tx: EntityManager,
  table: RunTable,
  { tenantId, id }: Pick<ClaimedRun, 'tenantId' | 'id'>,
): Promise<boolean> {
  const [, count] = await tx.query<[unknown, number]>(
    `update ${table} set state = 'cancelled', finished_at = now()
     where tenant_id = $1 and id = $2 and state = 'waiting'`,
    [tenantId, id],
  );
  return count > 0;
}
