import type { EntityManager } from 'typeorm';
import type { Permission } from '#libs/auth';
import type { Statement } from '#libs/database';

/** What a key may do less than its user; null: nothing. */
export interface KeyLimits {
  scopes: Permission[] | null;
  /** In CIDR form. */
  networks: string[] | null;
}

export interface StoredApiKey extends KeyLimits {
  tenantId: string;
  id: string;
  userId: string;
  publicId: string;
  name: string;
  createdAt: Date;
  expiresAt: Date;
  lastUsedAt: Date | null;
  /** The key that took its place. */
  replacedBy: string | null;
}

export interface PresentedApiKey extends KeyLimits {
  tenantId: string;
  id: string;
  userId: string;
  secretHash: string;
  expiresAt: Date;
  /** Neither revoked nor expired. */
  valid: boolean;
  /** Nobody has noted its use for a minute. */
  unnoted: boolean;
}

/** Inside `findByCredential(publicId)`: row-level security shows that one row, whatever its tenant. */
export async function findApiKey(tx: EntityManager, publicId: string): Promise<PresentedApiKey | undefined> {
  const [row] = await tx.query<PresentedRow[]>(
    `select tenant_id, id, user_id, secret_hash, expires_at, revoked_at is null and expires_at > now() as valid,
            ${UNNOTED} as unnoted, scopes, networks
     from api_key where public_id = $1`,
    [publicId],
  );
  return (
    row && {
      tenantId: row.tenant_id,
      id: row.id,
      userId: row.user_id,
      secretHash: row.secret_hash,
      expiresAt: row.expires_at,
      valid: row.valid,
      unnoted: row.unnoted,
      scopes: row.scopes,
      networks: row.networks,
    }
  );
}

/** Written at most once a minute, or every request would wait for its key's row. */
export function touchApiKey(tenantId: string, id: string): Statement {
  const sql = `update api_key set last_used_at = now() where tenant_id = $1 and id = $2 and ${UNNOTED}`;
  return { sql, parameters: [tenantId, id] };
}

/** Undefined when the same request made it before. */
export async function insertApiKey(
  tx: EntityManager,
  key: {
    tenantId: string;
    id: string;
    userId: string;
    publicId: string;
    secretHash: string;
    name: string;
    days: number;
  } & KeyLimits,
): Promise<StoredApiKey | undefined> {
  const [row] = await tx.query<ApiKeyRow[]>(
    `insert into api_key (tenant_id, id, user_id, public_id, secret_hash, name, expires_at, scopes, networks)
     values ($1, $2, $3, $4, $5, $6, now() + make_interval(days => $7), $8, $9)
     on conflict (tenant_id, id) do nothing returning ${COLUMNS}`,
    [
      key.tenantId,
      key.id,
      key.userId,
      key.publicId,
      key.secretHash,
      key.name,
      key.days,
      key.scopes,
      key.networks,
    ],
  );
  return row && toApiKey(row);
}

/** Counts a user's keys that are valid, and keeps others from adding to them until the commit. */
export async function countApiKeys(tx: EntityManager, tenantId: string, userId: string): Promise<number> {
  await tx.query(`select from app_user where tenant_id = $1 and id = $2 for update`, [tenantId, userId]);
  const [row] = await tx.query<{ count: number }[]>(
    `select count(*)::int as count from api_key
     where tenant_id = $1 and user_id = $2 and revoked_at is null and expires_at > now()`,
    [tenantId, userId],
  );
  return row!.count;
}

/** A user's keys that are not revoked, the newest first (ids grow with time). */
export async function listApiKeys(
  tx: EntityManager,
  {
    tenantId,
    userId,
    beforeId,
    limit,
  }: { tenantId: string; userId: string; beforeId?: string; limit: number },
): Promise<StoredApiKey[]> {
  const rows = await tx.query<ApiKeyRow[]>(
    `select ${COLUMNS} from api_key
     where tenant_id = $1 and user_id = $2 and revoked_at is null and ($3::uuid is null or id < $3::uuid)
     order by id desc limit $4`,
    [tenantId, userId, beforeId ?? null, limit],
  );
  return rows.map(toApiKey);
}

/** A user's key that is valid; nobody else changes it until the commit. */
export async function lockApiKey(
  tx: EntityManager,
  { tenantId, userId, id }: { tenantId: string; userId: string; id: string },
): Promise<StoredApiKey | undefined> {
  const [row] = await tx.query<ApiKeyRow[]>(
    `select ${COLUMNS} from api_key
     where tenant_id = $1 and user_id = $2 and id = $3 and revoked_at is null and expires_at > now() for update`,
    [tenantId, userId, id],
  );
  return row && toApiKey(row);
}

/** Another key takes its place: it ends when the overlap does, or when it would have ended anyway. */
export async function replaceApiKey(
  tx: EntityManager,
  {
    tenantId,
    id,
    replacedBy,
    overlapSeconds,
  }: {
    tenantId: string;
    id: string;
    replacedBy: string;
    overlapSeconds: number;
  },
): Promise<void> {
  await tx.query(
    `update api_key set replaced_by = $3, expires_at = least(expires_at, now() + make_interval(secs => $4))
     where tenant_id = $1 and id = $2`,
    [tenantId, id, replacedBy, overlapSeconds],
  );
}

/** Ends all keys of a user. Returns their ids. */
export async function revokeAllApiKeys(
  tx: EntityManager,
  tenantId: string,
  userId: string,
): Promise<string[]> {
  const [rows] = await tx.query<[{ id: string }[], number]>(
    `update api_key set revoked_at = now() where tenant_id = $1 and user_id = $2 and revoked_at is null returning id`,
    [tenantId, userId],
  );
  return rows.map(({ id }) => id);
}

/** Whether the key was valid until now. */
export async function revokeApiKey(
  tx: EntityManager,
  { tenantId, userId, id }: { tenantId: string; userId: string; id: string },
): Promise<boolean> {
  const [, count] = await tx.query<[unknown[], number]>(
    `update api_key set revoked_at = now()
     where tenant_id = $1 and user_id = $2 and id = $3 and revoked_at is null`,
    [tenantId, userId, id],
  );
  return count > 0;
}

interface PresentedRow {
  tenant_id: string;
  id: string;
  user_id: string;
  secret_hash: string;
  expires_at: Date;
  valid: boolean;
  unnoted: boolean;
  scopes: Permission[] | null;
  networks: string[] | null;
}

interface ApiKeyRow extends KeyLimits {
  tenant_id: string;
  id: string;
  user_id: string;
  public_id: string;
  name: string;
  created_at: Date;
  expires_at: Date;
  last_used_at: Date | null;
  replaced_by: string | null;
}

const UNNOTED = `(last_used_at is null or last_used_at < now() - interval '1 minute')`;
const COLUMNS =
  'tenant_id, id, user_id, public_id, name, created_at, expires_at, last_used_at, scopes, networks, replaced_by';

function toApiKey(row: ApiKeyRow): StoredApiKey {
  return {
    tenantId: row.tenant_id,
    id: row.id,
    userId: row.user_id,
    publicId: row.public_id,
    name: row.name,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    lastUsedAt: row.last_used_at,
    scopes: row.scopes,
    networks: row.networks,
    replacedBy: row.replaced_by,
  };
}
