import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { auditActor, auditDetail } from '#libs/audit';
import type { Principal } from '#libs/auth';
import { TenantDb, uuidv7 } from '#libs/database';
import { normalEmail, TenantsService, type User } from '../../tenants/index.js';
import { OneTimeTokenInvalid, ReauthenticationFailed } from '../accounts/accounts.errors.js';
import { digestOfToken, newOneTimeToken } from '../accounts/one-time-token.js';
import { Reauthentication } from '../accounts/reauthentication.js';
import { MailOutbox, Mails } from '../mail/index.js';
import { LoginThrottle } from '../passwords/login-throttle.js';
import { PasswordHasher } from '../passwords/password-hasher.js';
import { assertAcceptablePassword } from '../passwords/password-policy.js';
import { isOfProgram } from '../service-accounts/service-account.store.js';
import { revokeSessions } from '../sessions/session.store.js';
import { VerifiedCredentials } from '../verified-credentials.js';
import { countRecentResets, findReset, insertReset, removeOldResets, useReset } from './recovery.store.js';

const RESET_SECONDS = 1_800;
/** Mails for one account; more would only annoy whoever gets them. */
const MOST_RESETS_AN_HOUR = 3;
const NOTICE_SECONDS = 86_400;

/** Changing one's password, and getting a new one when it is lost. */
@Injectable()
export class PasswordsService {
  constructor(
    private readonly db: TenantDb,
    private readonly tenants: TenantsService,
    private readonly passwords: PasswordHasher,
    private readonly reauthentication: Reauthentication,
    private readonly throttle: LoginThrottle,
    private readonly verified: VerifiedCredentials,
    private readonly outbox: MailOutbox,
    private readonly mails: Mails,
  ) {}

  /**
   * Ends all other sessions of the user; API keys stay.
   *
   * @throws SessionRequired, ReauthenticationFailed, PasswordRefused, TooManyLogins, LoginBusy
   */
  async change(principal: Principal, current: string, password: string, address: string): Promise<void> {
    const { tenantId, userId, credentialId } = principal;
    const user = await this.reauthentication.confirm(principal, current, address);
    assertAcceptablePassword(password, user.email);
    const hash = await this.passwords.hash(password);
    await this.db.change(tenantId, async (tx) => {
      // Somebody may have changed it since it was looked at.
      if ((await this.tenants.lockPassword(tx, user)) !== user.passwordHash)
        throw new ReauthenticationFailed();
      await this.replace(tx, user, hash, { keep: credentialId, reason: 'password-changed' });
    });
    this.forget(tenantId, userId, credentialId);
  }

  /**
   * Sends a mail if the address has an account of a person that can be used. What its caller is told does not depend on it, and
   * neither does when (see the controller).
   */
  async requestReset(address: string): Promise<void> {
    const user = await this.tenants.findLogin(address);
    if (!user || user.disabled || isOfProgram(user.email)) return;
    const { tenantId, id: userId, email } = user;
    auditActor({ type: 'anonymous', tenantId });
    auditDetail({ targets: [{ type: 'user', id: userId }] });
    const token = newOneTimeToken();
    await this.db.change(tenantId, async (tx) => {
      await removeOldResets(tx, { tenantId, userId });
      const isOneTooMany = (await countRecentResets(tx, { tenantId, userId })) >= MOST_RESETS_AN_HOUR;
      auditDetail({ detail: { mailed: !isOneTooMany } });
      if (isOneTooMany) return;
      const tokenHash = digestOfToken(token);
      await insertReset(tx, { tenantId, userId, id: uuidv7(), tokenHash, lifeSeconds: RESET_SECONDS });
      const mail = this.mails.passwordReset(email, { token, lifeSeconds: RESET_SECONDS });
      await this.outbox.add(tx, tenantId, mail, RESET_SECONDS);
    });
  }

  /**
   * Ends all sessions of the user. Two-step login stays as it is: whoever reads his mails does not have his codes.
   *
   * @throws OneTimeTokenInvalid, PasswordRefused, LoginBusy
   */
  async reset(token: string, password: string, address: string): Promise<void> {
    const tokenHash = digestOfToken(token);
    const owner = await this.db.findByCredential(tokenHash, (tx) => findReset(tx, tokenHash));
    if (!owner) throw new OneTimeTokenInvalid();
    const { tenantId, userId } = owner;
    auditActor({ type: 'anonymous', tenantId });
    auditDetail({ targets: [{ type: 'user', id: userId }] });
    const { user } = await this.tenants.getAccount(tenantId, userId);
    if (user.disabled) throw new OneTimeTokenInvalid();
    assertAcceptablePassword(password, user.email);
    const hash = await this.passwords.hash(password);
    await this.db.change(tenantId, async (tx) => {
      await this.tenants.lockPassword(tx, user);
      if (!(await useReset(tx, owner, tokenHash))) throw new OneTimeTokenInvalid();
      await this.replace(tx, user, hash, { reason: 'password-reset' });
    });
    this.forget(tenantId, userId);
    // He has shown that he is the owner in another way; what others tried is not held against him here.
    await this.throttle.know(normalEmail(user.email), address);
  }

  private async replace(
    tx: EntityManager,
    user: User,
    hash: string,
    { keep, reason }: { keep?: string; reason: 'password-changed' | 'password-reset' },
  ): Promise<void> {
    const { tenantId, id: userId, email } = user;
    await this.tenants.replacePasswordHash(tx, user, hash);
    const ended = await revokeSessions(tx, { tenantId, userId, except: keep }, reason);
    await this.outbox.add(tx, tenantId, this.mails.passwordChanged(email), NOTICE_SECONDS);
    auditDetail({ targets: [{ type: 'user', id: userId }], detail: { ended_sessions: ended.length } });
  }

  private forget(tenantId: string, userId: string, except?: string): void {
    this.verified.forget(
      (known) =>
        known.tenantId === tenantId &&
        known.userId === userId &&
        known.via === 'session' &&
        known.credentialId !== except,
    );
  }
}
