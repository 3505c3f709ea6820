import type { EntityManager } from 'typeorm';
import type { Counts, RunState } from '../erasure/run.store.js';

/** A tenant that goes with all that is in it. It outlives the tenant, as its receipt. */
export interface TenantDeletion {
  id: string;
  tenantId: string;
  requestedBy: string;
  wasSuspended: boolean;
  state: RunState;
  runAt: Date;
  counts: Counts;
  createdAt: Date;
  finishedAt: Date | null;
}

/** As an operator. Its credentials are refused and its documents wait from now on. undefined: it is being deleted already. */
export async function insertDeletion(
  tx: EntityManager,
  deletion: Pick<TenantDeletion, 'id' | 'tenantId' | 'requestedBy'> & { graceDays: number },
): Promise<TenantDeletion | undefined> {
  const { id, tenantId, requestedBy, graceDays } = deletion;
  const rows = await tx.query<TenantDeletion[]>(
    `insert into tenant_deletion (id, tenant_id, requested_by, was_suspended, run_at)
     select $1, t.tenant_id, $3, t.suspended_at is not null, now() + make_interval(days => $4)
     from tenant t where t.tenant_id = $2
     on conflict do nothing returning ${COLUMNS}`,
    [id, tenantId, requestedBy, graceDays],
  );
  await tx.query(`update tenant set suspended_at = coalesce(suspended_at, now()) where tenant_id = $1`, [
    tenantId,
  ]);
  return rows[0];
}

/** The last one of a tenant. As an operator. */
export async function findDeletion(tx: EntityManager, tenantId: string): Promise<TenantDeletion | undefined> {
  const [row] = await tx.query<TenantDeletion[]>(
    `select ${COLUMNS} from tenant_deletion where tenant_id = $1 order by created_at desc limit 1`,
    [tenantId],
  );
  return row;
}

/** As an operator. */
export async function endSuspension(tx: EntityManager, tenantId: string): Promise<void> {
  await tx.query(`update tenant set suspended_at = null where tenant_id = $1`, [tenantId]);
}

const COLUMNS = `
  id, tenant_id as "tenantId", requested_by as "requestedBy", was_suspended as "wasSuspended", state,
  run_at as "runAt", counts, created_at as "createdAt", finished_at as "finishedAt"`;
