import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { auditDetail } from '#libs/audit';
import { type Principal, SessionRequired } from '#libs/auth';
import { TenantDb } from '#libs/database';
import { ColleaguesService } from '../../tenants/index.js';
import { ReauthenticationFailed } from '../accounts/accounts.errors.js';
import { Reauthentication } from '../accounts/reauthentication.js';
import { MailOutbox, Mails } from '../mail/index.js';
import { LoginThrottle } from '../passwords/login-throttle.js';
import { markSecondFactor, revokeSessions } from '../sessions/session.store.js';
import { VerifiedCredentials } from '../verified-credentials.js';
import { SecondFactors } from './second-factors.js';
import { digestOfRecoveryCode, newRecoveryCodes, newTotpSecret, totpUri } from './totp.js';
import {
  OwnSecondFactor,
  SecondFactorEnabled,
  SecondFactorNotBegun,
  SecondFactorOff,
} from './totp.errors.js';
import {
  countRecoveryCodes,
  deleteTotp,
  enableTotp,
  findFreshWithoutPassword,
  hasTotp,
  lockTotp,
  replaceRecoveryCodes,
  saveTotp,
} from './totp.store.js';

/** Who turns it off, or has new recovery codes made, shows both: a password alone may have been guessed. */
export interface Proof {
  password: string;
  code: string;
  address: string;
}

const NOTICE_SECONDS = 86_400;
/** As long as a login by a provider may take. */
const FRESH_SECONDS = 600;

/** Two-step login with a program that makes codes: one's own, and that of a user who has lost his. */
@Injectable()
export class TotpService {
  constructor(
    private readonly db: TenantDb,
    private readonly factors: SecondFactors,
    private readonly reauthentication: Reauthentication,
    private readonly throttle: LoginThrottle,
    private readonly colleagues: ColleaguesService,
    private readonly verified: VerifiedCredentials,
    private readonly outbox: MailOutbox,
    private readonly mails: Mails,
  ) {}

  state({ tenantId, userId }: Principal): Promise<{ enabled: boolean; recoveryCodesLeft: number }> {
    return this.db.read(tenantId, async (tx) => ({
      enabled: await hasTotp(tx, { tenantId, userId }),
      recoveryCodesLeft: await countRecoveryCodes(tx, { tenantId, userId }),
    }));
  }

  /** The secret is told this once, and counts from its confirmation on. @throws SecondFactorEnabled, ReauthenticationFailed */
  async begin(
    principal: Principal,
    password: string | undefined,
    address: string,
  ): Promise<{ secret: string; uri: string }> {
    const { tenantId, userId } = principal;
    const email = await this.addressOfProven(principal, password, address);
    const secret = newTotpSecret();
    await this.db.change(tenantId, async (tx) => {
      if ((await lockTotp(tx, { tenantId, userId }))?.enabled) throw new SecondFactorEnabled();
      await saveTotp(tx, { tenantId, userId }, this.factors.seal({ tenantId, userId }, secret));
      this.note(userId);
    });
    return { secret, uri: totpUri(secret, email) };
  }

  /** Turns it on, and tells the recovery codes this once. @throws SecondFactorNotBegun, ReauthenticationFailed */
  async confirm(principal: Principal, code: string, address: string): Promise<string[]> {
    if (principal.via !== 'session') throw new SessionRequired();
    const { tenantId, userId } = principal;
    const codes = await this.limited(userId, address, async () =>
      this.db.change(tenantId, async (tx) => {
        const stored = await lockTotp(tx, { tenantId, userId });
        if (!stored) throw new SecondFactorNotBegun();
        if (stored.enabled) throw new SecondFactorEnabled();
        const isRight = await this.factors.useTotp(tx, { tenantId, userId }, stored, code);
        if (!isRight) throw new ReauthenticationFailed();
        await enableTotp(tx, { tenantId, userId });
        await markSecondFactor(tx, { tenantId, userId, sessionId: principal.credentialId }, true);
        await this.tell(tx, principal, { enabled: true });
        this.note(userId);
        return this.newCodes(tx, principal);
      }),
    );
    this.verified.forget((known) => known.credentialId === principal.credentialId);
    return codes;
  }

  /** In place of those before. @throws SecondFactorOff, ReauthenticationFailed */
  async renewCodes(principal: Principal, proof: Proof): Promise<string[]> {
    return this.proven(principal, proof, (tx) => this.newCodes(tx, principal));
  }

  /** @throws SecondFactorOff, ReauthenticationFailed */
  async disable(principal: Principal, proof: Proof): Promise<void> {
    const { tenantId, userId } = principal;
    await this.proven(principal, proof, async (tx) => {
      await deleteTotp(tx, { tenantId, userId });
      // Where the tenant requires one, they may enrol another one and do nothing else.
      await markSecondFactor(tx, { tenantId, userId }, false);
      await this.tell(tx, principal, { enabled: false });
    });
    this.verified.forget((known) => known.userId === userId && known.via === 'session');
  }

  /**
   * For a colleague who has lost program and recovery codes; his sessions end. No key opens the way to him.
   *
   * @throws SessionRequired, OwnSecondFactor, UserNotFound, RoleOutOfReach
   */
  async reset(principal: Principal, userId: string): Promise<void> {
    const { tenantId } = principal;
    if (principal.via !== 'session') throw new SessionRequired();
    if (userId === principal.userId) throw new OwnSecondFactor();
    await this.db.change(tenantId, async (tx) => {
      // A change of nothing, for what it checks: that he is there, and not above who asks.
      await this.colleagues.change(tx, principal, userId, {});
      const wasEnabled = await deleteTotp(tx, { tenantId, userId });
      if (wasEnabled) {
        await revokeSessions(tx, { tenantId, userId }, 'second-factor-reset');
        await this.tell(tx, { tenantId, userId }, { enabled: false });
      }
      auditDetail({ targets: [{ type: 'user', id: userId }], detail: { was_enabled: wasEnabled } });
    });
    this.verified.forget((known) => known.userId === userId && known.via === 'session');
  }

  /** By his password; by his login, where that is all he has and it was a moment ago. */
  private async addressOfProven(
    principal: Principal,
    password: string | undefined,
    address: string,
  ): Promise<string> {
    if (password !== undefined)
      return (await this.reauthentication.confirm(principal, password, address)).email;
    if (principal.via !== 'session') throw new SessionRequired();
    const { tenantId, userId, credentialId: sessionId } = principal;
    const email = await this.db.read(tenantId, (tx) =>
      findFreshWithoutPassword(tx, { tenantId, userId, sessionId, withinSeconds: FRESH_SECONDS }),
    );
    if (!email) throw new ReauthenticationFailed();
    return email;
  }

  private async proven<T>(
    principal: Principal,
    { password, code, address }: Proof,
    work: (tx: EntityManager) => Promise<T>,
  ): Promise<T> {
    const { tenantId, userId } = principal;
    await this.reauthentication.confirm(principal, password, address);
    return this.limited(userId, address, () =>
      this.db.change(tenantId, async (tx) => {
        if (!(await lockTotp(tx, { tenantId, userId }))?.enabled) throw new SecondFactorOff();
        if (!(await this.factors.use(tx, { tenantId, userId }, code))) throw new ReauthenticationFailed();
        this.note(userId);
        return work(tx);
      }),
    );
  }

  /** Codes have six digits: who may try often enough finds one. */
  private async limited<T>(userId: string, address: string, work: () => Promise<T>): Promise<T> {
    const account = `second factor of ${userId}`;
    await this.throttle.admit(account, address);
    try {
      const result = await work();
      await this.throttle.succeed(account, address);
      return result;
    } catch (error) {
      if (!(error instanceof ReauthenticationFailed)) await this.throttle.forgive(account, address);
      throw error;
    }
  }

  private async newCodes(tx: EntityManager, { tenantId, userId }: Principal): Promise<string[]> {
    const codes = newRecoveryCodes();
    await replaceRecoveryCodes(tx, { tenantId, userId }, codes.map(digestOfRecoveryCode));
    return codes;
  }

  private async tell(
    tx: EntityManager,
    { tenantId, userId }: Pick<Principal, 'tenantId' | 'userId'>,
    state: { enabled: boolean },
  ): Promise<void> {
    const { email } = await this.colleagues.find(tx, tenantId, userId);
    await this.outbox.add(tx, tenantId, this.mails.secondFactorChanged(email, state), NOTICE_SECONDS);
  }

  private note(userId: string): void {
    auditDetail({ targets: [{ type: 'user', id: userId }] });
  }
}
