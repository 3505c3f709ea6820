import type { EntityManager } from 'typeorm';
import type { Role } from '#libs/auth';

export interface User {
  tenantId: string;
  id: string;
  email: string;
  role: Role;
  disabled: boolean;
}

export interface UserWithPassword extends User {
  passwordHash: string;
}

export interface Account {
  user: User;
  tenantName: string;
}

/** Returns false when the tenant, or another of that name, exists already; waits for whoever is making it now. */
export async function insertTenant(tx: EntityManager, tenantId: string, name: string): Promise<boolean> {
  const rows = await tx.query<unknown[]>(
    `insert into tenant (tenant_id, name) values ($1, $2) on conflict do nothing returning tenant_id`,
    [tenantId, name],
  );
  return rows.length > 0;
}

export async function tenantExists(tx: EntityManager, tenantId: string): Promise<boolean> {
  const rows = await tx.query<unknown[]>(`select from tenant where tenant_id = $1`, [tenantId]);
  return rows.length > 0;
}

export async function insertUser(tx: EntityManager, user: Omit<UserWithPassword, 'disabled'>): Promise<void> {
  await tx.query(
    `insert into app_user (tenant_id, id, email, password_hash, role) values ($1, $2, $3, $4, $5)`,
    [user.tenantId, user.id, user.email, user.passwordHash, user.role],
  );
}

/** Inside `findByCredential(email)`: row-level security shows that one row, whatever its tenant. */
export async function findUserByEmail(
  tx: EntityManager,
  email: string,
): Promise<UserWithPassword | undefined> {
  const [row] = await tx.query<(UserRow & { password_hash: string })[]>(
    `select ${USER_COLUMNS}, password_hash from app_user where email = $1`,
    [email],
  );
  return row && { ...toUser(row), passwordHash: row.password_hash };
}

export async function findUser(tx: EntityManager, tenantId: string, id: string): Promise<User | undefined> {
  const [row] = await tx.query<UserRow[]>(
    `select ${USER_COLUMNS} from app_user where tenant_id = $1 and id = $2`,
    [tenantId, id],
  );
  return row && toUser(row);
}

export async function findTenantName(tx: EntityManager, tenantId: string): Promise<string | undefined> {
  const [row] = await tx.query<{ name: string }[]>(`select name from tenant where tenant_id = $1`, [
    tenantId,
  ]);
  return row?.name;
}

export async function updatePasswordHash(
  tx: EntityManager,
  { tenantId, id }: Pick<User, 'tenantId' | 'id'>,
  passwordHash: string,
): Promise<void> {
  await tx.query(`update app_user set password_hash = $3 where tenant_id = $1 and id = $2`, [
    tenantId,
    id,
    passwordHash,
  ]);
}

interface UserRow {
  tenant_id: string;
  id: string;
  email: string;
  role: Role;
  disabled: boolean;
}

const USER_COLUMNS = `tenant_id, id, email, role, disabled_at is not null as disabled`;

function toUser(row: UserRow): User {
  return { tenantId: row.tenant_id, id: row.id, email: row.email, role: row.role, disabled: row.disabled };
}
