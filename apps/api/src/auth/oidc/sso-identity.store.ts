import { createHash } from 'node:crypto';
import type { EntityManager } from 'typeorm';

export interface SsoIdentity {
  issuer: string;
  subject: string;
}

/** By which an identity is found before its tenant is known. Subjects have no line breaks. */
export function identityHash({ issuer, subject }: SsoIdentity): string {
  return createHash('sha256')
    .update(JSON.stringify([issuer, subject]))
    .digest('hex');
}

/** Inside `findByCredential(identityHash)`: row-level security shows that one row, whatever its tenant. */
export async function findIdentityOwner(
  tx: EntityManager,
  hash: string,
): Promise<{ tenantId: string; userId: string } | undefined> {
  const [row] = await tx.query<{ tenantId: string; userId: string }[]>(
    `select tenant_id as "tenantId", user_id as "userId" from sso_identity where identity_hash = $1`,
    [hash],
  );
  return row;
}

/**
 * False when somebody else has this identity, or when the user is known to the provider by another one: an address that was
 * given to a new colleague must not bring him into the account of the old one.
 */
export async function linkIdentity(
  tx: EntityManager,
  { tenantId, userId, issuer, subject }: SsoIdentity & { tenantId: string; userId: string },
): Promise<boolean> {
  await tx.query(`select from app_user where tenant_id = $1 and id = $2 for update`, [tenantId, userId]);
  await tx.query(
    `insert into sso_identity (tenant_id, identity_hash, issuer, subject, user_id)
     select $1, $2, $3, $4, $5
     where not exists (select from sso_identity where tenant_id = $1 and user_id = $5 and issuer = $3)
     on conflict do nothing`,
    [tenantId, identityHash({ issuer, subject }), issuer, subject, userId],
  );
  const rows = await tx.query<unknown[]>(
    `select from sso_identity where tenant_id = $1 and identity_hash = $2 and user_id = $3`,
    [tenantId, identityHash({ issuer, subject }), userId],
  );
  return rows.length > 0;
}

/** The next login by a provider leads to the account by its verified address again. Returns how many links there were. */
export async function unlinkIdentities(tx: EntityManager, tenantId: string, userId: string): Promise<number> {
  const [, count] = await tx.query<[unknown[], number]>(
    `delete from sso_identity where tenant_id = $1 and user_id = $2`,
    [tenantId, userId],
  );
  return count;
}
