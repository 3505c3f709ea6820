import { Injectable } from '@nestjs/common';
import { type Principal, SessionRequired } from '#libs/auth';
import { TenantsService, type UserWithPassword } from '../../tenants/index.js';
import { LoginThrottle } from '../passwords/login-throttle.js';
import { PasswordHasher } from '../passwords/password-hasher.js';
import { ReauthenticationFailed } from './accounts.errors.js';

/** Who has a session shows his password again before he changes how he logs in: a session may be a stolen one. */
@Injectable()
export class Reauthentication {
  constructor(
    private readonly tenants: TenantsService,
    private readonly passwords: PasswordHasher,
    private readonly throttle: LoginThrottle,
  ) {}

  /**
   * Wrong ones count as failed logins.
   *
   * @throws SessionRequired, ReauthenticationFailed, TooManyLogins, LoginBusy
   */
  async confirm(principal: Principal, password: string, address: string): Promise<UserWithPassword> {
    if (principal.via !== 'session') throw new SessionRequired();
    const { user } = await this.tenants.getAccount(principal.tenantId, principal.userId);
    this.throttle.admit(user.email, address);
    try {
      const known = await this.tenants.findLogin(user.email);
      if (!(await this.passwords.matches(known?.passwordHash, password)) || !known)
        throw new ReauthenticationFailed();
      this.throttle.forgive(user.email, address);
      return known;
    } catch (error) {
      if (!(error instanceof ReauthenticationFailed)) this.throttle.forgive(user.email, address);
      throw error;
    }
  }
}
