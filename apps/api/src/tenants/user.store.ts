import type { EntityManager } from 'typeorm';
import type { Role } from '#libs/auth';
import type { Colleague, User, UserWithPassword } from './tenant.js';

/** False when the address has an account already, whatever its tenant. */
export async function insertUser(
  tx: EntityManager,
  user: Omit<UserWithPassword, 'disabled'>,
): Promise<boolean> {
  const rows = await tx.query<unknown[]>(
    `insert into app_user (tenant_id, id, email, password_hash, role) values ($1, $2, $3, $4, $5)
     on conflict do nothing returning id`,
    [user.tenantId, user.id, user.email, user.passwordHash ?? null, user.role],
  );
  return rows.length > 0;
}

/** Inside `findByCredential(email)`: row-level security shows that one row, whatever its tenant. */
export async function findUserByEmail(
  tx: EntityManager,
  email: string,
): Promise<UserWithPassword | undefined> {
  const [row] = await tx.query<(User & { passwordHash: string | null })[]>(
    `select ${USER}, password_hash as "passwordHash" from app_user u where email = $1`,
    [email],
  );
  return row && { ...row, passwordHash: row.passwordHash ?? undefined };
}

export async function findUser(tx: EntityManager, tenantId: string, id: string): Promise<User | undefined> {
  const [row] = await tx.query<User[]>(`select ${USER} from app_user u where tenant_id = $1 and id = $2`, [
    tenantId,
    id,
  ]);
  return row;
}

/** Keeps others from changing it until the commit. */
export async function lockPassword(
  tx: EntityManager,
  tenantId: string,
  id: string,
): Promise<string | undefined> {
  const [row] = await tx.query<{ passwordHash: string | null }[]>(
    `select password_hash as "passwordHash" from app_user where tenant_id = $1 and id = $2 for update`,
    [tenantId, id],
  );
  return row?.passwordHash ?? undefined;
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

/** Those who have not been removed, by id, which is the order in which they came. */
export async function listColleagues(
  tx: EntityManager,
  tenantId: string,
  { afterId, limit }: { afterId?: string; limit: number },
): Promise<Colleague[]> {
  return tx.query<Colleague[]>(
    `select ${COLLEAGUE} from app_user u
     where tenant_id = $1 and removed_at is null and ($2::uuid is null or id > $2::uuid) and ${IS_PERSON}
     order by id limit $3`,
    [tenantId, afterId ?? null, limit],
  );
}

export async function findColleague(
  tx: EntityManager,
  tenantId: string,
  id: string,
): Promise<Colleague | undefined> {
  const [row] = await tx.query<Colleague[]>(
    `select ${COLLEAGUE} from app_user u where tenant_id = $1 and id = $2 and removed_at is null
       and ${IS_PERSON}`,
    [tenantId, id],
  );
  return row;
}

/** Ids of people who can run the tenant. All who change one of them take turns from here to their commit. */
export async function lockAdministrators(tx: EntityManager, tenantId: string): Promise<string[]> {
  const rows = await tx.query<{ id: string }[]>(
    `select id from app_user u
     where tenant_id = $1 and role in ('admin', 'operator') and disabled_at is null and ${IS_PERSON}
     order by id for update`,
    [tenantId],
  );
  return rows.map(({ id }) => id);
}

/** What is absent stays. */
export async function updateUser(
  tx: EntityManager,
  { tenantId, id }: Pick<User, 'tenantId' | 'id'>,
  set: { role?: Role; suspended?: boolean },
): Promise<void> {
  await tx.query(
    `update app_user
     set role = coalesce($3, role),
         disabled_at = case when $4::boolean is null then disabled_at
                            when $4 then coalesce(disabled_at, now()) end
     where tenant_id = $1 and id = $2`,
    [tenantId, id, set.role ?? null, set.suspended ?? null],
  );
}

export interface ErasableUser {
  suspended: boolean;
  removed: boolean;
  erasing: boolean;
}

/** Also one who has been removed and has left documents. Keeps others from changing him until the commit. */
export async function lockErasable(
  tx: EntityManager,
  tenantId: string,
  id: string,
): Promise<ErasableUser | undefined> {
  const [row] = await tx.query<ErasableUser[]>(
    `select disabled_at is not null as suspended, removed_at is not null as removed,
            erasing_at is not null as erasing
     from app_user u where tenant_id = $1 and id = $2 and ${IS_PERSON} for update`,
    [tenantId, id],
  );
  return row;
}

/** He is suspended already. */
export async function markErasing(tx: EntityManager, tenantId: string, id: string): Promise<void> {
  await tx.query(`update app_user set erasing_at = now() where tenant_id = $1 and id = $2`, [tenantId, id]);
}

export async function unmarkErasing(
  tx: EntityManager,
  tenantId: string,
  id: string,
  { wasSuspended }: { wasSuspended: boolean },
): Promise<void> {
  await tx.query(
    `update app_user set erasing_at = null, disabled_at = case when $3 then disabled_at end
     where tenant_id = $1 and id = $2 and erasing_at is not null`,
    [tenantId, id, wasSuspended],
  );
}

/** The row stays, because documents are his; nothing that says who he was does, and the address is free again. */
export async function markRemoved(tx: EntityManager, tenantId: string, id: string): Promise<void> {
  await tx.query(
    `update app_user
     set email = 'removed+' || id || '@invalid', password_hash = null,
         disabled_at = coalesce(disabled_at, now()), removed_at = now()
     where tenant_id = $1 and id = $2`,
    [tenantId, id],
  );
}

// Before the tenant is known, `tenant` shows just that of the address; see the policy `login`.
const USER = `u.tenant_id as "tenantId", u.id, u.email, u.role,
  (select (t.settings -> 'quota_factor')::float8 from tenant t where t.tenant_id = u.tenant_id) as "quotaFactor",
  u.disabled_at is not null
    or exists (select from tenant t where t.tenant_id = u.tenant_id and t.suspended_at is not null) as disabled`;
/** Accounts of programs have users too, who are nobody's colleagues and run no tenant. */
const IS_PERSON = `not exists (select from service_account s where s.tenant_id = u.tenant_id and s.user_id = u.id)`;
const COLLEAGUE = `u.id, u.email, u.role, u.created_at as "createdAt", u.disabled_at as "suspendedAt",
  u.erasing_at as "erasingAt",
  exists (select from user_totp f where f.tenant_id = u.tenant_id and f.user_id = u.id
            and f.enabled_at is not null) as "hasSecondFactor"`;
