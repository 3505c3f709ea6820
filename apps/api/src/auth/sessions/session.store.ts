import type { EntityManager } from 'typeorm';
import type { Role } from '#libs/auth';
import type { StoredRefreshToken } from './refresh-token.js';

export interface SessionRef {
  tenantId: string;
  sessionId: string;
}

export type EndReason =
  | 'logout'
  | 'refresh-token-reused'
  | 'password-changed'
  | 'password-reset'
  | 'second-factor-reset'
  | 'role-changed'
  | 'suspended'
  | 'removed';

export interface SessionState {
  userId: string;
  role: Role;
  expiresAt: Date;
  /** It began without a second factor, and the tenant requires one. */
  lacksSecondFactor: boolean;
  /** Of the tenant, where operators have set one. */
  quotaFactor: number | null;
  /** Neither revoked nor past its end, and neither its user nor his tenant is suspended. */
  alive: boolean;
}

export async function insertSession(
  tx: EntityManager,
  {
    tenantId,
    sessionId,
    userId,
    days,
    secondFactor,
  }: SessionRef & { userId: string; days: number; secondFactor: boolean },
): Promise<Date> {
  const [row] = await tx.query<{ expires_at: Date }[]>(
    `insert into session (tenant_id, id, user_id, expires_at, second_factor)
     values ($1, $2, $3, now() + make_interval(days => $4), $5) returning expires_at`,
    [tenantId, sessionId, userId, days, secondFactor],
  );
  return row!.expires_at;
}

export async function deleteExpiredSessions(
  tx: EntityManager,
  tenantId: string,
  userId: string,
): Promise<void> {
  await tx.query(`delete from session where tenant_id = $1 and user_id = $2 and expires_at < now()`, [
    tenantId,
    userId,
  ]);
}

/** The role is read with it, so that a change of role holds for tokens that were issued before. */
export async function findSession(
  tx: EntityManager,
  { tenantId, sessionId }: SessionRef,
): Promise<SessionState | undefined> {
  const [row] = await tx.query<SessionState[]>(
    `select s.user_id as "userId", u.role, s.expires_at as "expiresAt",
            not s.second_factor and coalesce((t.settings -> 'require_second_factor')::boolean, false)
              as "lacksSecondFactor",
            (t.settings -> 'quota_factor')::float8 as "quotaFactor",
            s.revoked_at is null and s.expires_at > now() and u.disabled_at is null and t.suspended_at is null as alive
     from session s join app_user u on u.tenant_id = s.tenant_id and u.id = s.user_id
     join tenant t on t.tenant_id = s.tenant_id
     where s.tenant_id = $1 and s.id = $2`,
    [tenantId, sessionId],
  );
  return row;
}

/** Whether its login was no longer ago. */
export async function isRecentSession(
  tx: EntityManager,
  { tenantId, sessionId }: SessionRef,
  seconds: number,
): Promise<boolean> {
  const rows = await tx.query<unknown[]>(
    `select from session where tenant_id = $1 and id = $2 and created_at > now() - make_interval(secs => $3)`,
    [tenantId, sessionId, seconds],
  );
  return rows.length > 0;
}

/** A second factor was enrolled in this session, or all of its user's have lost theirs. */
export async function markSecondFactor(
  tx: EntityManager,
  which: { tenantId: string; userId: string; sessionId?: string },
  secondFactor: boolean,
): Promise<void> {
  await tx.query(
    `update session set second_factor = $4
     where tenant_id = $1 and user_id = $2 and ($3::uuid is null or id = $3)`,
    [which.tenantId, which.userId, which.sessionId ?? null, secondFactor],
  );
}

/** All refreshes of a session take turns from here to their commit. */
export async function lockSession(tx: EntityManager, { tenantId, sessionId }: SessionRef): Promise<void> {
  await tx.query(`select from session where tenant_id = $1 and id = $2 for update`, [tenantId, sessionId]);
}

/** Ends one session, or all of a user, or one if it is that user's; never `except`. Returns the ids of those that were alive until now. */
export async function revokeSessions(
  tx: EntityManager,
  which: { tenantId: string; sessionId?: string; userId?: string; except?: string },
  reason: EndReason,
): Promise<string[]> {
  if (!which.sessionId && !which.userId) throw new TypeError('Neither a session nor a user was named');
  const [rows] = await tx.query<[{ id: string }[], number]>(
    `update session set revoked_at = now(), revoked_reason = $4
     where tenant_id = $1 and ($2::uuid is null or id = $2) and ($3::uuid is null or user_id = $3)
       and id is distinct from $5::uuid and revoked_at is null returning id`,
    [which.tenantId, which.sessionId ?? null, which.userId ?? null, reason, which.except ?? null],
  );
  return rows.map((row) => row.id);
}

export interface LivingSession {
  id: string;
  createdAt: Date;
  /** When it got its tokens of today: at its login, or by the last refresh. */
  refreshedAt: Date;
  expiresAt: Date;
}

/** A user's sessions that live, the newest first: those before `beforeId` (ids grow with time). */
export async function listSessions(
  tx: EntityManager,
  {
    tenantId,
    userId,
    beforeId,
    limit,
  }: { tenantId: string; userId: string; beforeId?: string; limit: number },
): Promise<LivingSession[]> {
  return tx.query<LivingSession[]>(
    `select s.id, s.created_at as "createdAt", t.issued_at as "refreshedAt", t.expires_at as "expiresAt"
     from session s
     join lateral (select issued_at, expires_at from refresh_token t
                   where t.tenant_id = s.tenant_id and t.session_id = s.id
                   order by issued_at desc, used_at nulls first limit 1) t on true
     where s.tenant_id = $1 and s.user_id = $2 and s.revoked_at is null
       and s.expires_at > now() and t.expires_at > now() and ($3::uuid is null or s.id < $3::uuid)
     order by s.id desc limit $4`,
    [tenantId, userId, beforeId ?? null, limit],
  );
}

/** The token expires when it was idle for too long, and never after its session. */
export async function insertRefreshToken(
  tx: EntityManager,
  { tenantId, sessionId, hash, idleDays }: SessionRef & { hash: string; idleDays: number },
): Promise<Date> {
  const [row] = await tx.query<{ expires_at: Date }[]>(
    `insert into refresh_token (tenant_id, token_hash, session_id, expires_at)
     select tenant_id, $3, id, least(now() + make_interval(days => $4), expires_at)
     from session where tenant_id = $1 and id = $2
     returning expires_at`,
    [tenantId, sessionId, hash, idleDays],
  );
  return row!.expires_at;
}

/** Inside `findByCredential(hash)`: whose token it is. */
export async function findTokenOwner(tx: EntityManager, hash: string): Promise<SessionRef | undefined> {
  const [row] = await tx.query<{ tenant_id: string; session_id: string }[]>(
    `select tenant_id, session_id from refresh_token where token_hash = $1`,
    [hash],
  );
  return row && { tenantId: row.tenant_id, sessionId: row.session_id };
}

export async function getRefreshToken(
  tx: EntityManager,
  tenantId: string,
  hash: string,
): Promise<StoredRefreshToken & { successorExpiresAt: Date | null }> {
  const [row] = await tx.query<TokenRow[]>(
    `select t.used_by, t.successor_salt, s.expires_at as successor_expires_at,
            t.expires_at <= now() as expired,
            extract(epoch from clock_timestamp() - t.used_at)::float8 as used_seconds_ago
     from refresh_token t
     left join refresh_token s on s.tenant_id = t.tenant_id and s.token_hash = t.successor_hash
     where t.tenant_id = $1 and t.token_hash = $2`,
    [tenantId, hash],
  );
  return {
    expired: row!.expired,
    usedSecondsAgo: row!.used_seconds_ago,
    usedBy: row!.used_by,
    successorSalt: row!.successor_salt,
    successorExpiresAt: row!.successor_expires_at,
  };
}

/** Uses a token up. From now on nobody can be given this token again, so the salt that led to it goes. */
export async function markUsed(
  tx: EntityManager,
  tenantId: string,
  used: { hash: string; usedBy: string; successorHash: string; successorSalt: string },
): Promise<void> {
  await tx.query(
    `update refresh_token set used_at = clock_timestamp(), used_by = $3, successor_hash = $4, successor_salt = $5
     where tenant_id = $1 and token_hash = $2`,
    [tenantId, used.hash, used.usedBy, used.successorHash, used.successorSalt],
  );
  await tx.query(
    `update refresh_token set successor_salt = null where tenant_id = $1 and successor_hash = $2`,
    [tenantId, used.hash],
  );
}

interface TokenRow {
  expired: boolean;
  used_seconds_ago: number | null;
  used_by: string | null;
  successor_salt: string | null;
  successor_expires_at: Date | null;
}
