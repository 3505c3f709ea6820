import type { EntityManager } from 'typeorm';
import type { Tenant, TenantSettings } from './tenant.js';

/**
 * Returns false when the tenant, or another of that name, exists already, or has existed: its log must not become somebody
 * else's. Waits for whoever is making it now.
 */
export async function insertTenant(tx: EntityManager, tenantId: string, name: string): Promise<boolean> {
  const rows = await tx.query<unknown[]>(
    `insert into tenant (tenant_id, name)
     select $1::uuid, $2::text
     where not exists (select from tenant_deletion where tenant_id = $1::uuid and state <> 'cancelled')
     on conflict do nothing returning tenant_id`,
    [tenantId, name],
  );
  return rows.length > 0;
}

export async function findTenant(tx: EntityManager, tenantId: string): Promise<Tenant | undefined> {
  const [row] = await tx.query<Tenant[]>(`select ${COLUMNS} from tenant where tenant_id = $1`, [tenantId]);
  return row;
}

/** Nobody else changes it until the commit: its settings are written as a whole. */
export async function lockTenant(tx: EntityManager, tenantId: string): Promise<Tenant | undefined> {
  const [row] = await tx.query<Tenant[]>(
    `select ${COLUMNS} from tenant where tenant_id = $1 for no key update`,
    [tenantId],
  );
  return row;
}

/** Also one that waits for it. */
export async function isBeingDeleted(tx: EntityManager, tenantId: string): Promise<boolean> {
  const rows = await tx.query<unknown[]>(
    `select from tenant_deletion where tenant_id = $1 and state in ('waiting', 'running')`,
    [tenantId],
  );
  return rows.length > 0;
}

/** By name: those after `afterName`. Under the scope of operators, otherwise just one's own. */
export async function listTenants(
  tx: EntityManager,
  { afterName, limit }: { afterName?: string; limit: number },
): Promise<Tenant[]> {
  return tx.query<Tenant[]>(
    `select ${COLUMNS} from tenant where $1::text is null or name > $1 order by name limit $2`,
    [afterName ?? null, limit],
  );
}

/** What is absent stays. */
export async function updateTenant(
  tx: EntityManager,
  tenantId: string,
  set: { settings?: TenantSettings; suspended?: boolean },
): Promise<void> {
  await tx.query(
    `update tenant
     set settings = coalesce($2::jsonb, settings),
         suspended_at = case when $3::boolean is null then suspended_at
                             when $3 then coalesce(suspended_at, now()) end
     where tenant_id = $1`,
    [tenantId, set.settings ? JSON.stringify(set.settings) : null, set.suspended ?? null],
  );
}

const COLUMNS = `tenant_id as id, name, created_at as "createdAt", suspended_at as "suspendedAt", settings`;
