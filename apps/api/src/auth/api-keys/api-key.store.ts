import type { EntityManager } from 'typeorm';
import type { Statement } from '#libs/database';

export interface StoredApiKey {
  tenantId: string;
  id: string;
  userId: string;
  publicId: string;
  name: string;
  createdAt: Date;
  expiresAt: Date;
  lastUsedAt: Date | null;
}

export interface PresentedApiKey {
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
            ${UNNOTED} as unnoted
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
  },
): Promise<StoredApiKey | undefined> {
  const [row] = await tx.query<ApiKeyRow[]>(
    `insert into api_key (tenant_id, id, user_id, public_id, secret_hash, name, expires_at)
     values ($1, $2, $3, $4, $5, $6, now() + make_interval(days => $7))
     on conflict (tenant_id, id) do nothing returning ${COLUMNS}`,
    [key.tenantId, key.id, key.userId, key.publicId, key.secretHash, key.name, key.days],
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
}

interface ApiKeyRow {
  tenant_id: string;
  id: string;
  user_id: string;
  public_id: string;
  name: string;
  created_at: Date;
  expires_at: Date;
  last_used_at: Date | null;
}

const UNNOTED = `(last_used_at is null or last_used_at < now() - interval '1 minute')`;
const COLUMNS = 'tenant_id, id, user_id, public_id, name, created_at, expires_at, last_used_at';

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
  };
}
