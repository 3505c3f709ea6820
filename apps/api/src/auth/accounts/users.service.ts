import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { auditDetail } from '#libs/audit';
import { type Principal, SessionRequired } from '#libs/auth';
import { TenantDb } from '#libs/database';
import { type Colleague, ColleaguesService, type UserChange } from '../../tenants/index.js';
import { revokeSessions } from '../sessions/session.store.js';
import { VerifiedCredentials } from '../verified-credentials.js';
import { endCredentials } from './credential.store.js';

/** Users and what becomes of their credentials: with his role, his sessions end; with him, everything does. */
@Injectable()
export class UsersService {
  constructor(
    private readonly db: TenantDb,
    private readonly colleagues: ColleaguesService,
    private readonly verified: VerifiedCredentials,
  ) {}

  /**
   * A key may keep people out, as programs do with those who leave. It raises nobody: what it may do itself could be far less.
   *
   * @throws SessionRequired, UserNotFound, RoleOutOfReach, LastAdministrator
   */
  async change(principal: Principal, userId: string, change: UserChange): Promise<Colleague> {
    const { tenantId } = principal;
    if (change.role && principal.via !== 'session') throw new SessionRequired();
    const changed = await this.db.change(tenantId, async (tx) => {
      const { before, after } = await this.colleagues.change(tx, principal, userId, change);
      const reason = endingOf(before, after);
      const ended = reason ? await revokeSessions(tx, { tenantId, userId }, reason) : [];
      auditDetail({
        targets: [{ type: 'user', id: userId }],
        detail: { from: stateOf(before), to: stateOf(after), ended_sessions: ended.length },
      });
      return after;
    });
    this.forget(tenantId, userId);
    return changed;
  }

  /** Wherever he is logged in, but for the session that asks; his keys stay. @throws UserNotFound, RoleOutOfReach */
  async endSessions(principal: Principal, userId: string): Promise<void> {
    const { tenantId, credentialId: except } = principal;
    await this.db.change(tenantId, async (tx) => {
      // A change of nothing, for what it checks: that he is there, and not above who asks.
      await this.colleagues.change(tx, principal, userId, {});
      const ended = await revokeSessions(tx, { tenantId, userId, except }, 'logout');
      auditDetail({ targets: [{ type: 'user', id: userId }], detail: { ended_sessions: ended.length } });
    });
    this.forget(tenantId, userId);
  }

  /** His documents and conversations stay. @throws UserNotFound, RoleOutOfReach, LastAdministrator */
  async remove(principal: Principal, userId: string): Promise<void> {
    const { tenantId } = principal;
    await this.db.change(tenantId, async (tx) => {
      await this.colleagues.remove(tx, principal, userId);
      const ended = await revokeSessions(tx, { tenantId, userId }, 'removed');
      await endCredentials(tx, tenantId, userId);
      auditDetail({ targets: [{ type: 'user', id: userId }], detail: { ended_sessions: ended.length } });
    });
    this.forget(tenantId, userId);
  }

  /**
   * In the transaction of an erasure: he can neither log in nor go on, until he is gone or `letInAgain` is called. Call
   * `forget` after its commit.
   *
   * @returns whether he was suspended before
   * @throws UserNotFound, RoleOutOfReach, LastAdministrator, UserBeingErased
   */
  async lockOut(tx: EntityManager, principal: Principal, userId: string): Promise<{ wasSuspended: boolean }> {
    const before = await this.colleagues.markForErasure(tx, principal, userId);
    await revokeSessions(tx, { tenantId: principal.tenantId, userId }, 'suspended');
    return before;
  }

  letInAgain(
    tx: EntityManager,
    { tenantId }: Principal,
    userId: string,
    before: { wasSuspended: boolean },
  ): Promise<void> {
    return this.colleagues.releaseFromErasure(tx, tenantId, userId, before);
  }

  /** The same for everybody of a tenant. */
  forgetTenant(tenantId: string): void {
    this.verified.forget((known) => known.tenantId === tenantId);
  }

  /** Here at once; other processes look again within five seconds. */
  forget(tenantId: string, userId: string): void {
    this.verified.forget((known) => known.userId === userId && known.tenantId === tenantId);
  }
}

function endingOf(before: Colleague, after: Colleague): 'suspended' | 'role-changed' | undefined {
  if (after.suspendedAt && !before.suspendedAt) return 'suspended';
  return after.role === before.role ? undefined : 'role-changed';
}

const stateOf = ({ role, suspendedAt }: Colleague) => ({ role, suspended: suspendedAt !== null });
