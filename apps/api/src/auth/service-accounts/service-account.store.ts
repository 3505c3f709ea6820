import type { EntityManager } from 'typeorm';
import type { Role } from '#libs/auth';

export interface ServiceAccount {
  id: string;
  name: string;
  role: Role;
  createdBy: string;
  createdAt: Date;
  /** Suspended, as any user can be. */
  disabled: boolean;
}

/** No mail server can have it (RFC 2606). */
const DOMAIN = '@service.invalid';

export const isOfProgram = (address: string) => address.endsWith(DOMAIN);

/**
 * A user without a password, whose address no mail server can have. undefined: the same request made it
 * before. The name must be free.
 */
export async function insertServiceAccount(
  tx: EntityManager,
  account: { tenantId: string; id: string; name: string; role: Role; createdBy: string },
): Promise<ServiceAccount | undefined> {
  const { tenantId, id, name, role, createdBy } = account;
  const made = await tx.query<unknown[]>(
    `insert into app_user (tenant_id, id, email, password_hash, role) values ($1, $2, $3, null, $4)
     on conflict (tenant_id, id) do nothing returning id`,
    [tenantId, id, `service-${id}${DOMAIN}`, role],
  );
  if (made.length === 0) return undefined;
  await tx.query(
    `insert into service_account (tenant_id, user_id, name, created_by) values ($1, $2, $3, $4)`,
    [tenantId, id, name, createdBy],
  );
  return findServiceAccount(tx, tenantId, id);
}

/** Others who make one of that name wait for the commit. */
export async function nameIsTaken(tx: EntityManager, tenantId: string, name: string): Promise<boolean> {
  await tx.query(`select pg_advisory_xact_lock(hashtext('service_account'), hashtext($1))`, [tenantId]);
  const rows = await tx.query<unknown[]>(
    `select from service_account where tenant_id = $1 and name = $2 and deleted_at is null`,
    [tenantId, name],
  );
  return rows.length > 0;
}

export async function findServiceAccount(
  tx: EntityManager,
  tenantId: string,
  id: string,
): Promise<ServiceAccount | undefined> {
  const [row] = await tx.query<ServiceAccount[]>(`${SELECT} and a.user_id = $2`, [tenantId, id]);
  return row;
}

/** The newest first: those before `beforeId`. */
export async function listServiceAccounts(
  tx: EntityManager,
  tenantId: string,
  { beforeId, limit }: { beforeId?: string; limit: number },
): Promise<ServiceAccount[]> {
  return tx.query<ServiceAccount[]>(
    `${SELECT} and ($2::uuid is null or a.user_id < $2::uuid) order by a.user_id desc limit $3`,
    [tenantId, beforeId ?? null, limit],
  );
}

export async function updateServiceAccount(
  tx: EntityManager,
  tenantId: string,
  id: string,
  set: { name?: string; role?: Role },
): Promise<void> {
  await tx.query(
    `update service_account set name = coalesce($3, name) where tenant_id = $1 and user_id = $2`,
    [tenantId, id, set.name ?? null],
  );
  await tx.query(`update app_user set role = coalesce($3, role) where tenant_id = $1 and id = $2`, [
    tenantId,
    id,
    set.role ?? null,
  ]);
}

/** The row of its user stays, because documents may be its. */
export async function deleteServiceAccount(tx: EntityManager, tenantId: string, id: string): Promise<void> {
  await tx.query(`update service_account set deleted_at = now() where tenant_id = $1 and user_id = $2`, [
    tenantId,
    id,
  ]);
  await tx.query(
    `update app_user set disabled_at = coalesce(disabled_at, now()) where tenant_id = $1 and id = $2`,
    [tenantId, id],
  );
}

const SELECT = `
  select a.user_id as id, a.name, u.role, a.created_by as "createdBy", a.created_at as "createdAt",
         u.disabled_at is not null as disabled
  from service_account a join app_user u on u.tenant_id = a.tenant_id and u.id = a.user_id
  where a.tenant_id = $1 and a.deleted_at is null`;
