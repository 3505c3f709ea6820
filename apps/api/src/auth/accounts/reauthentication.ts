import { Injectable } from '@nestjs/common';
import { type Principal, SessionRequired } from '#libs/auth';
import { TenantDb } from '#libs/database';
import { TenantsService, type UserWithPassword } from '../../tenants/index.js';
import { LoginThrottle } from '../passwords/login-throttle.js';
import { PasswordHasher } from '../passwords/password-hasher.js';
import { isRecentSession } from '../sessions/session.store.js';
import { ReauthenticationFailed, ReauthenticationRequired } from './accounts.errors.js';

/** A session that began no longer ago shows as well as a password who is there. */
const RECENT_SECONDS = 900;

/** Who has a session shows his password again before he changes how he logs in: a session may be a stolen one. */
@Injectable()
export class Reauthentication {
  constructor(
    private readonly tenants: TenantsService,
    private readonly passwords: PasswordHasher,
    private readonly throttle: LoginThrottle,
    private readonly db: TenantDb,
  ) {}

  /**
   * Wrong ones count as failed logins.
   *
   * @throws SessionRequired, ReauthenticationFailed, TooManyLogins, LoginBusy
   */
  async confirm(principal: Principal, password: string, address: string): Promise<UserWithPassword> {
    if (principal.via !== 'session') throw new SessionRequired();
    const { user } = await this.tenants.getAccount(principal.tenantId, principal.userId);
    await this.throttle.admit(user.email, address);
    try {
      const known = await this.tenants.findLogin(user.email);
      if (!(await this.passwords.matches(known?.passwordHash, password)) || !known)
        throw new ReauthenticationFailed();
      await this.throttle.forgive(user.email, address);
      return known;
    } catch (error) {
      if (!(error instanceof ReauthenticationFailed)) await this.throttle.forgive(user.email, address);
      throw error;
    }
  }

  /**
   * For what a stolen session must not do, also by people without a password: the password, or a session that began in
   * the last 15 minutes.
   *
   * @throws SessionRequired, ReauthenticationRequired, ReauthenticationFailed, TooManyLogins, LoginBusy
   */
  async requireRecent(principal: Principal, password: string | undefined, address: string): Promise<void> {
    if (principal.via !== 'session') throw new SessionRequired();
    if (password !== undefined) {
      await this.confirm(principal, password, address);
      return;
    }
    const session = { tenantId: principal.tenantId, sessionId: principal.credentialId };
    const isRecent = await this.db.read(principal.tenantId, (tx) =>
      isRecentSession(tx, session, RECENT_SECONDS),
    );
    if (!isRecent) throw new ReauthenticationRequired();
  }
}
