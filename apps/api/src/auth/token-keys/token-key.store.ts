import type { EntityManager } from 'typeorm';
import type { TokenKeyMaterial } from '#libs/auth';

export type KeyState = 'published' | 'signing' | 'verifying' | 'ended' | 'revoked';

export interface StoredTokenKey {
  kid: string;
  publicKey: string;
  sealedPrivate: Buffer;
  createdAt: Date;
  signsFrom: Date;
  verifiesUntil: Date | null;
  revokedAt: Date | null;
  /** By the database's clock, which all replicas share. */
  state: KeyState;
  signsInSeconds: number;
  verifiesSeconds: number | null;
}

/** Until the commit nobody else makes, exchanges or revokes keys. */
export async function lockTokenKeys(tx: EntityManager): Promise<void> {
  await tx.query(`select pg_advisory_xact_lock(hashtext('token_key'))`);
}

/** Those that were sealed with this key, the newest first. */
export async function listTokenKeys(tx: EntityManager, sealedBy: string): Promise<StoredTokenKey[]> {
  const rows = await tx.query<TokenKeyRow[]>(
    `with key as (
       select *, revoked_at is null and (verifies_until is null or verifies_until > now()) as counts
       from token_key where sealed_by = $1)
     select kid, public_key, sealed_private, created_at, signs_from, verifies_until, revoked_at,
            case when revoked_at is not null then 'revoked'
                 when not counts then 'ended'
                 when signs_from > now() then 'published'
                 when kid = (select kid from key where counts and signs_from <= now()
                             order by signs_from desc limit 1) then 'signing'
                 else 'verifying' end as state,
            extract(epoch from signs_from - now())::float8 as signs_in,
            extract(epoch from verifies_until - now())::float8 as verifies_for
     from key order by signs_from desc, kid limit 100`,
    [sealedBy],
  );
  return rows.map(toTokenKey);
}

export async function insertTokenKey(
  tx: EntityManager,
  key: Pick<TokenKeyMaterial, 'kid' | 'publicKey'> & {
    sealedBy: string;
    sealedPrivate: Buffer;
    signsInSeconds: number;
  },
): Promise<void> {
  await tx.query(
    `insert into token_key (kid, sealed_by, public_key, sealed_private, signs_from)
     values ($1, $2, $3, $4, now() + make_interval(secs => $5))`,
    [key.kid, key.sealedBy, key.publicKey, key.sealedPrivate, key.signsInSeconds],
  );
}

/** From now on they only verify, until the last token that they may still sign is over. */
export async function retireTokenKeys(tx: EntityManager, sealedBy: string, seconds: number): Promise<void> {
  await tx.query(
    `update token_key set verifies_until = now() + make_interval(secs => $2)
     where sealed_by = $1 and verifies_until is null and revoked_at is null`,
    [sealedBy, seconds],
  );
}

/** What nothing can be verified with has been kept long enough to be looked up. */
export async function deleteOldTokenKeys(tx: EntityManager): Promise<void> {
  await tx.query(
    `delete from token_key where coalesce(revoked_at, verifies_until) < now() - interval '90 days'`,
  );
}

/** Whether it was in force until now. */
export async function revokeTokenKey(tx: EntityManager, sealedBy: string, kid: string): Promise<boolean> {
  const [, count] = await tx.query<[unknown[], number]>(
    `update token_key set revoked_at = now()
     where sealed_by = $1 and kid = $2 and revoked_at is null
       and (verifies_until is null or verifies_until > now())`,
    [sealedBy, kid],
  );
  return count > 0;
}

/** The next key takes its place at once. Returns whether there was one. */
export async function signAtOnce(tx: EntityManager, sealedBy: string): Promise<boolean> {
  const [, count] = await tx.query<[unknown[], number]>(
    `update token_key set signs_from = now()
     where sealed_by = $1 and signs_from > now() and revoked_at is null`,
    [sealedBy],
  );
  return count > 0;
}

interface TokenKeyRow {
  kid: string;
  public_key: string;
  sealed_private: Buffer;
  created_at: Date;
  signs_from: Date;
  verifies_until: Date | null;
  revoked_at: Date | null;
  state: KeyState;
  signs_in: number;
  verifies_for: number | null;
}

function toTokenKey(row: TokenKeyRow): StoredTokenKey {
  return {
    kid: row.kid,
    publicKey: row.public_key,
    sealedPrivate: row.sealed_private,
    createdAt: row.created_at,
    signsFrom: row.signs_from,
    verifiesUntil: row.verifies_until,
    revokedAt: row.revoked_at,
    state: row.state,
    signsInSeconds: row.signs_in,
    verifiesSeconds: row.verifies_for,
  };
}
