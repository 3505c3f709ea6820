import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { auditActor, auditDetail, type AuditActor } from '#libs/audit';
import { AccessTokens, type Principal, SessionEnded, SessionRequired } from '#libs/auth';
import { TenantDb, uuidv7 } from '#libs/database';
import { SingleFlight } from '#libs/resilience';
import { TenantsService, type User } from '../../tenants/index.js';
import type { AuthConfig } from '../auth.config.js';
import { RefreshTokenInvalid, RefreshTokenReused } from '../auth.errors.js';
import { withinVerificationLimits } from '../verification-limits.js';
import { VerifiedCredentials } from '../verified-credentials.js';
import {
  fingerprint,
  hashOfToken,
  judgeRefresh,
  newRefreshToken,
  newSalt,
  successorOf,
} from './refresh-token.js';
import {
  deleteExpiredSessions,
  findSession,
  findTokenOwner,
  getRefreshToken,
  insertRefreshToken,
  insertSession,
  listSessions,
  type LivingSession,
  lockSession,
  markUsed,
  revokeSessions,
  type SessionRef,
} from './session.store.js';

/** Who asks, as far as the connection tells. */
export interface Client {
  address: string;
  userAgent: string;
}

export interface Tokens {
  accessToken: string;
  expiresInSeconds: number;
  refreshToken: string;
  refreshExpiresInSeconds: number;
}

export type SessionSettings = Pick<
  AuthConfig,
  'accessTokenSeconds' | 'refreshIdleDays' | 'refreshAbsoluteDays' | 'refreshGraceSeconds'
>;

const ENROL_AT = '/v1/account/totp';

interface Rotation {
  user: User;
  refreshToken: string;
  expiresAt: Date;
}

/**
 * A session is a family of refresh tokens: each is used once and followed by the next. It ends by logout, when it is
 * idle or old, or when a used token comes back, which means that somebody copied it.
 */
@Injectable()
export class SessionService {
  private readonly rotations = new SingleFlight<Rotation | undefined>();

  constructor(
    private readonly db: TenantDb,
    private readonly tenants: TenantsService,
    private readonly tokens: AccessTokens,
    private readonly verified: VerifiedCredentials,
    private readonly settings: SessionSettings,
  ) {}

  /** Starts a session for somebody who has just proven who he is, with a second factor or without. */
  async open(
    user: User,
    { secondFactor, renewedPasswordHash }: { secondFactor: boolean; renewedPasswordHash?: string },
  ): Promise<Tokens> {
    const session = { tenantId: user.tenantId, sessionId: uuidv7() };
    const refreshToken = newRefreshToken();
    auditActor(actorOf(user, session));
    const expiresAt = await this.db.change(user.tenantId, async (tx) => {
      if (renewedPasswordHash) await this.tenants.replacePasswordHash(tx, user, renewedPasswordHash);
      await deleteExpiredSessions(tx, user.tenantId, user.id);
      const days = this.settings.refreshAbsoluteDays;
      await insertSession(tx, { ...session, userId: user.id, days, secondFactor });
      return this.insertToken(tx, session, refreshToken);
    });
    return this.tokensFor(session, { user, refreshToken, expiresAt });
  }

  /**
   * Exchanges a refresh token for its successor and a new access token.
   *
   * @throws RefreshTokenInvalid
   * @throws RefreshTokenReused after ending the session
   */
  async refresh(presented: string, client: Client): Promise<Tokens> {
    const hash = hashOfToken(presented);
    const session = await this.db.findByCredential(hash, (tx) => findTokenOwner(tx, hash));
    if (!session) throw new RefreshTokenInvalid();
    auditActor({ type: 'anonymous', tenantId: session.tenantId });
    auditDetail({ targets: [{ type: 'session', id: session.sessionId }] });

    const usedBy = fingerprint(presented, client);
    // A page that wakes up refreshes in all its tabs at once. They get the same in any case, so one asks for all.
    const rotation = await this.rotations.run(`${hash} ${usedBy}`, () =>
      this.db.change(session.tenantId, (tx) => this.rotate(tx, session, presented, usedBy)),
    );
    if (rotation) {
      auditActor(actorOf(rotation.user, session));
      return this.tokensFor(session, rotation);
    }
    // Thrown only now, because the end of the session had to be committed.
    this.verified.forget((principal) => principal.credentialId === session.sessionId);
    throw new RefreshTokenReused();
  }

  /**
   * Whose access token this is, if its session still lives. The role is today's, not that of the token.
   *
   * @throws TokenInvalid
   * @throws TokenExpired
   * @throws SessionEnded
   */
  async verify(accessToken: string): Promise<{ principal: Principal; expiresAt: Date }> {
    const { tenantId, userId, sessionId, expiresAt } = await this.tokens.verify(accessToken);
    const session = await withinVerificationLimits((limits) =>
      this.db.read(tenantId, (tx) => findSession(tx, { tenantId, sessionId }), limits),
    );
    if (!session?.alive || session.userId !== userId) throw new SessionEnded();
    const principal = {
      tenantId,
      userId,
      role: session.role,
      via: 'session',
      credentialId: sessionId,
      ...(session.lacksSecondFactor && { enrolAt: ENROL_AT }),
      ...(session.quotaFactor !== null && { quotaFactor: session.quotaFactor }),
    } as const;
    return { principal, expiresAt };
  }

  /** Ends the caller's session, or all sessions of his. API keys stay: they are revoked one by one. */
  async logout(principal: Principal, { everywhere }: { everywhere: boolean }): Promise<void> {
    const { tenantId, userId, credentialId } = principal;
    if (principal.via !== 'session') throw new SessionRequired();
    await this.db.change(tenantId, async (tx) => {
      const which = everywhere ? { tenantId, userId } : { tenantId, sessionId: credentialId };
      const ended = await revokeSessions(tx, which, 'logout');
      auditDetail({ targets: ended.map((id) => ({ type: 'session', id })), detail: { everywhere } });
    });
    this.verified.forget((known) =>
      everywhere ? known.via === 'session' && known.userId === userId : known.credentialId === credentialId,
    );
  }

  /** The caller's own that live, the newest first: those before `beforeId`, `limit` at most. */
  list(
    { tenantId, userId }: Principal,
    page: { beforeId?: string; limit: number },
  ): Promise<LivingSession[]> {
    return this.db.read(tenantId, (tx) => listSessions(tx, { tenantId, userId, ...page }));
  }

  /** Ends one of the caller's. One that does not exist, or is somebody else's, is as ended as it can be. */
  async end(principal: Principal, sessionId: string): Promise<void> {
    const { tenantId, userId } = principal;
    if (principal.via !== 'session') throw new SessionRequired();
    await this.db.change(tenantId, async (tx) => {
      const ended = await revokeSessions(tx, { tenantId, sessionId, userId }, 'logout');
      auditDetail({ targets: [{ type: 'session', id: sessionId }], detail: { ended: ended.length > 0 } });
    });
    this.verified.forget((known) => known.credentialId === sessionId && known.userId === userId);
  }

  /** Undefined when the token was used before: its session is ended then. */
  private async rotate(
    tx: EntityManager,
    session: SessionRef,
    presented: string,
    usedBy: string,
  ): Promise<Rotation | undefined> {
    await lockSession(tx, session);
    const state = await findSession(tx, session);
    const user = state?.alive && (await this.tenants.findUser(tx, session.tenantId, state.userId));
    if (!user) throw new RefreshTokenInvalid();

    const token = await getRefreshToken(tx, session.tenantId, hashOfToken(presented));
    switch (judgeRefresh(token, usedBy, this.settings.refreshGraceSeconds)) {
      case 'expired':
        throw new RefreshTokenInvalid();
      case 'reused':
        await revokeSessions(tx, session, 'refresh-token-reused');
        auditDetail({ outcome: 'denied', reason: 'refresh-token-reused' });
        return undefined;
      case 'repeat':
        auditActor(actorOf(user, session));
        auditDetail({ detail: { repeated: true } });
        return {
          user,
          refreshToken: successorOf(presented, token.successorSalt!),
          expiresAt: token.successorExpiresAt!,
        };
      case 'rotate':
        auditActor(actorOf(user, session));
        return { user, ...(await this.succeed(tx, session, presented, usedBy)) };
    }
  }

  private async succeed(tx: EntityManager, session: SessionRef, presented: string, usedBy: string) {
    const successorSalt = newSalt();
    const refreshToken = successorOf(presented, successorSalt);
    const successorHash = hashOfToken(refreshToken);
    const expiresAt = await this.insertToken(tx, session, refreshToken);
    await markUsed(tx, session.tenantId, {
      hash: hashOfToken(presented),
      usedBy,
      successorHash,
      successorSalt,
    });
    return { refreshToken, expiresAt };
  }

  private insertToken(tx: EntityManager, session: SessionRef, refreshToken: string): Promise<Date> {
    const hash = hashOfToken(refreshToken);
    return insertRefreshToken(tx, { ...session, hash, idleDays: this.settings.refreshIdleDays });
  }

  private async tokensFor(session: SessionRef, { user, refreshToken, expiresAt }: Rotation): Promise<Tokens> {
    return {
      accessToken: await this.tokens.issue({ ...session, userId: user.id, role: user.role }),
      expiresInSeconds: this.settings.accessTokenSeconds,
      refreshToken,
      refreshExpiresInSeconds: Math.max(0, Math.floor((expiresAt.getTime() - Date.now()) / 1_000)),
    };
  }
}

function actorOf({ id, tenantId, role }: User, { sessionId }: SessionRef): AuditActor {
  return { type: 'user', tenantId, id, role, credentialId: sessionId };
}
