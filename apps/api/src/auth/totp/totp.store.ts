import type { EntityManager } from 'typeorm';

export interface StoredTotp {
  /** Sealed. */
  secret: Buffer;
  enabled: boolean;
  lastStep: number | null;
}

interface UserKey {
  tenantId: string;
  userId: string;
}

/** In place of one that was never confirmed. */
export async function saveTotp(
  tx: EntityManager,
  { tenantId, userId }: UserKey,
  secret: Buffer,
): Promise<void> {
  await tx.query(
    `insert into user_totp (tenant_id, user_id, secret) values ($1, $2, $3)
     on conflict (tenant_id, user_id) do update set secret = excluded.secret, created_at = now(), last_step = null`,
    [tenantId, userId, secret],
  );
}

/** All who use it take turns from here to their commit, so that a code is good once. */
export async function lockTotp(
  tx: EntityManager,
  { tenantId, userId }: UserKey,
): Promise<StoredTotp | undefined> {
  const [row] = await tx.query<{ secret: Buffer; enabled: boolean; last_step: string | null }[]>(
    `select secret, enabled_at is not null as enabled, last_step
     from user_totp where tenant_id = $1 and user_id = $2 for update`,
    [tenantId, userId],
  );
  return row && { ...row, lastStep: row.last_step === null ? null : Number(row.last_step) };
}

export async function hasTotp(tx: EntityManager, { tenantId, userId }: UserKey): Promise<boolean> {
  const rows = await tx.query<unknown[]>(
    `select from user_totp where tenant_id = $1 and user_id = $2 and enabled_at is not null`,
    [tenantId, userId],
  );
  return rows.length > 0;
}

export async function noteStep(
  tx: EntityManager,
  { tenantId, userId }: UserKey,
  step: number,
): Promise<void> {
  await tx.query(`update user_totp set last_step = $3 where tenant_id = $1 and user_id = $2`, [
    tenantId,
    userId,
    step,
  ]);
}

export async function enableTotp(tx: EntityManager, { tenantId, userId }: UserKey): Promise<void> {
  await tx.query(`update user_totp set enabled_at = now() where tenant_id = $1 and user_id = $2`, [
    tenantId,
    userId,
  ]);
}

/** In place of those before. */
export async function replaceRecoveryCodes(
  tx: EntityManager,
  { tenantId, userId }: UserKey,
  digests: readonly string[],
): Promise<void> {
  await tx.query(`delete from recovery_code where tenant_id = $1 and user_id = $2`, [tenantId, userId]);
  await tx.query(
    `insert into recovery_code (tenant_id, user_id, code_hash) select $1, $2, unnest($3::text[])`,
    [tenantId, userId, digests],
  );
}

/** Whether it was there and unused. */
export async function burnRecoveryCode(
  tx: EntityManager,
  { tenantId, userId }: UserKey,
  digest: string,
): Promise<boolean> {
  const [, count] = await tx.query<[unknown[], number]>(
    `update recovery_code set used_at = now()
     where tenant_id = $1 and user_id = $2 and code_hash = $3 and used_at is null`,
    [tenantId, userId, digest],
  );
  return count > 0;
}

export async function countRecoveryCodes(tx: EntityManager, { tenantId, userId }: UserKey): Promise<number> {
  const [row] = await tx.query<{ count: number }[]>(
    `select count(*)::int as count from recovery_code where tenant_id = $1 and user_id = $2 and used_at is null`,
    [tenantId, userId],
  );
  return row!.count;
}

/** With its recovery codes. Whether it was turned on. */
export async function deleteTotp(tx: EntityManager, { tenantId, userId }: UserKey): Promise<boolean> {
  const [rows] = await tx.query<[{ enabled: boolean }[], number]>(
    `delete from user_totp where tenant_id = $1 and user_id = $2 returning enabled_at is not null as enabled`,
    [tenantId, userId],
  );
  return rows[0]?.enabled ?? false;
}

/** The address of a user who has no password, if his session began within the time. */
export async function findFreshWithoutPassword(
  tx: EntityManager,
  { tenantId, userId, sessionId, withinSeconds }: UserKey & { sessionId: string; withinSeconds: number },
): Promise<string | undefined> {
  const [row] = await tx.query<{ email: string }[]>(
    `select u.email from app_user u join session s on s.tenant_id = u.tenant_id and s.user_id = u.id
     where u.tenant_id = $1 and u.id = $2 and u.password_hash is null
       and s.id = $3 and s.created_at > now() - make_interval(secs => $4)`,
    [tenantId, userId, sessionId, withinSeconds],
  );
  return row?.email;
}
