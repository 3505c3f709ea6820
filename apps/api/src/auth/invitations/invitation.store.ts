import type { EntityManager } from 'typeorm';
import type { Role } from '#libs/auth';

export type InvitationState = 'open' | 'accepted' | 'revoked' | 'expired';

export interface Invitation {
  id: string;
  email: string;
  role: Role;
  state: InvitationState;
  createdAt: Date;
  sentAt: Date;
  expiresAt: Date;
}

export interface NewInvitation {
  tenantId: string;
  id: string;
  email: string;
  role: Role;
  tokenHash: string;
  /** Absent: an operator from elsewhere. */
  invitedBy?: string;
  lifeSeconds: number;
}

/** Asks for nothing back, because who makes a tenant may write into it and not read it. */
export async function insertInvitation(tx: EntityManager, invitation: NewInvitation): Promise<void> {
  const { tenantId, id, email, role, tokenHash, invitedBy, lifeSeconds } = invitation;
  await tx.query(
    `insert into invitation (tenant_id, id, email, role, token_hash, invited_by, expires_at)
     values ($1, $2, $3, $4, $5, $6, now() + make_interval(secs => $7))`,
    [tenantId, id, email, role, tokenHash, invitedBy ?? null, lifeSeconds],
  );
}

/** All who invite somebody into a tenant take turns from here to their commit. */
export async function lockInvitations(tx: EntityManager, tenantId: string): Promise<void> {
  await tx.query(`select from tenant where tenant_id = $1 for update`, [tenantId]);
}

export async function findInvitation(
  tx: EntityManager,
  tenantId: string,
  id: string,
): Promise<Invitation | undefined> {
  const [row] = await tx.query<Invitation[]>(
    `select ${COLUMNS} from invitation where tenant_id = $1 and id = $2`,
    [tenantId, id],
  );
  return row;
}

/** One that can be accepted or has only expired. */
export async function findPending(
  tx: EntityManager,
  tenantId: string,
  email: string,
): Promise<Invitation | undefined> {
  const [row] = await tx.query<Invitation[]>(
    `select ${COLUMNS} from invitation
     where tenant_id = $1 and email = $2 and accepted_at is null and revoked_at is null`,
    [tenantId, email],
  );
  return row;
}

export async function countOpen(tx: EntityManager, tenantId: string): Promise<number> {
  const [row] = await tx.query<{ count: number }[]>(
    `select count(*)::int as count from invitation
     where tenant_id = $1 and accepted_at is null and revoked_at is null and expires_at > now()`,
    [tenantId],
  );
  return row!.count;
}

/** The newest first. */
export async function listInvitations(
  tx: EntityManager,
  tenantId: string,
  { beforeId, limit }: { beforeId?: string; limit: number },
): Promise<Invitation[]> {
  return tx.query<Invitation[]>(
    `select ${COLUMNS} from invitation
     where tenant_id = $1 and ($2::uuid is null or id < $2::uuid) order by id desc limit $3`,
    [tenantId, beforeId ?? null, limit],
  );
}

/** With another token: the one in the mail before is good no more. */
export async function renewInvitation(
  tx: EntityManager,
  tenantId: string,
  {
    id,
    invitedBy,
    tokenHash,
    lifeSeconds,
  }: { id: string; invitedBy: string; tokenHash: string; lifeSeconds: number },
): Promise<void> {
  await tx.query(
    `update invitation
     set token_hash = $3, sent_at = now(), expires_at = now() + make_interval(secs => $4), invited_by = $5
     where tenant_id = $1 and id = $2`,
    [tenantId, id, tokenHash, lifeSeconds, invitedBy],
  );
}

/** Whether it was open until now, or had only expired. */
export async function revokeInvitation(tx: EntityManager, tenantId: string, id: string): Promise<boolean> {
  const [, count] = await tx.query<[unknown[], number]>(
    `update invitation set revoked_at = now()
     where tenant_id = $1 and id = $2 and accepted_at is null and revoked_at is null`,
    [tenantId, id],
  );
  return count > 0;
}

/** Inside `findByCredential(tokenHash)`: which invitation it is the token of. */
export async function findPresented(
  tx: EntityManager,
  tokenHash: string,
): Promise<{ tenantId: string; id: string; email: string } | undefined> {
  const [row] = await tx.query<{ tenantId: string; id: string; email: string }[]>(
    `select tenant_id as "tenantId", id, email from invitation
     where token_hash = $1 and accepted_at is null and revoked_at is null and expires_at > now()`,
    [tokenHash],
  );
  return row;
}

/** Uses it up; undefined when somebody was faster, or the tenant is suspended. */
export async function acceptInvitation(
  tx: EntityManager,
  tenantId: string,
  { id, tokenHash }: { id: string; tokenHash: string },
): Promise<{ email: string; role: Role; invitedBy: string | null } | undefined> {
  const [[row]] = await tx.query<[{ email: string; role: Role; invitedBy: string | null }[], number]>(
    `update invitation i set accepted_at = now()
     from tenant t
     where i.tenant_id = $1 and i.id = $2 and i.token_hash = $3 and t.tenant_id = i.tenant_id
       and t.suspended_at is null
       and i.accepted_at is null and i.revoked_at is null and i.expires_at > now()
     returning i.email, i.role, i.invited_by as "invitedBy"`,
    [tenantId, id, tokenHash],
  );
  return row;
}

const COLUMNS = `id, email, role, created_at as "createdAt", sent_at as "sentAt", expires_at as "expiresAt",
  case when accepted_at is not null then 'accepted' when revoked_at is not null then 'revoked'
       when expires_at <= now() then 'expired' else 'open' end as state`;
