import type { EntityManager } from 'typeorm';

interface UserKey {
  tenantId: string;
  userId: string;
}

/** How many were asked for within the last hour. All who ask for this user's take turns until their commit. */
export async function countRecentResets(tx: EntityManager, { tenantId, userId }: UserKey): Promise<number> {
  await tx.query(`select from app_user where tenant_id = $1 and id = $2 for update`, [tenantId, userId]);
  const [row] = await tx.query<{ count: number }[]>(
    `select count(*)::int as count from password_reset
     where tenant_id = $1 and user_id = $2 and created_at > now() - interval '1 hour'`,
    [tenantId, userId],
  );
  return row!.count;
}

export async function insertReset(
  tx: EntityManager,
  {
    tenantId,
    userId,
    id,
    tokenHash,
    lifeSeconds,
  }: UserKey & { id: string; tokenHash: string; lifeSeconds: number },
): Promise<void> {
  await tx.query(
    `insert into password_reset (tenant_id, id, user_id, token_hash, expires_at)
     values ($1, $2, $3, $4, now() + make_interval(secs => $5))`,
    [tenantId, id, userId, tokenHash, lifeSeconds],
  );
}

/** Inside `findByCredential(tokenHash)`: whose it is, if it is good. */
export async function findReset(tx: EntityManager, tokenHash: string): Promise<UserKey | undefined> {
  const [row] = await tx.query<UserKey[]>(
    `select tenant_id as "tenantId", user_id as "userId" from password_reset
     where token_hash = $1 and expires_at > now()`,
    [tokenHash],
  );
  return row;
}

/** Uses it up, and with it all others of its user. Whether it was good until now. */
export async function useReset(
  tx: EntityManager,
  { tenantId, userId }: UserKey,
  tokenHash: string,
): Promise<boolean> {
  const [rows] = await tx.query<[{ good: boolean }[], number]>(
    `delete from password_reset where tenant_id = $1 and user_id = $2
     returning token_hash = $3 and expires_at > now() as good`,
    [tenantId, userId, tokenHash],
  );
  return rows.some(({ good }) => good);
}

/** Those that are too old to count. */
export async function removeOldResets(tx: EntityManager, { tenantId, userId }: UserKey): Promise<void> {
  await tx.query(
    `delete from password_reset
     where tenant_id = $1 and user_id = $2 and expires_at < now() and created_at < now() - interval '1 hour'`,
    [tenantId, userId],
  );
}
