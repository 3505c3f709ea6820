import type { EntityManager } from 'typeorm';

/** Ends all that a user could log in with besides his password and his sessions. */
export async function endCredentials(tx: EntityManager, tenantId: string, userId: string): Promise<void> {
  const user = [tenantId, userId];
  await tx.query(
    `update api_key set revoked_at = now() where tenant_id = $1 and user_id = $2 and revoked_at is null`,
    user,
  );
  for (const table of ['user_totp', 'password_reset', 'sso_identity'] as const)
    await tx.query(`delete from ${table} where tenant_id = $1 and user_id = $2`, user);
}
