import { Inject, Injectable } from '@nestjs/common';
import { auditActor, auditDetail, auditPersonal } from '#libs/audit';
import { TenantsService, type UserWithPassword } from '../../tenants/index.js';
import { InvalidCredentials } from '../auth.errors.js';
import { type Client, SessionService, type Tokens } from '../sessions/session.service.js';
import { SecondStepService } from '../totp/second-step.service.js';
import { LoginThrottle } from './login-throttle.js';
import { PasswordHasher } from './password-hasher.js';

/** Logging in with e-mail address and password. */
@Injectable()
export class LoginService {
  constructor(
    private readonly tenants: TenantsService,
    private readonly passwords: PasswordHasher,
    private readonly throttle: LoginThrottle,
    private readonly sessions: SessionService,
    @Inject(SecondStepService) private readonly second: Pick<SecondStepService, 'demand'>,
  ) {}

  /**
   * @throws InvalidCredentials
   * @throws SecondFactorRequired
   * @throws TooManyLogins
   * @throws LoginBusy
   */
  async login(email: string, password: string, client: Client): Promise<Tokens> {
    auditPersonal({ login_email: email });
    await this.throttle.admit(email, client.address);
    try {
      const user = await this.identify(email, password);
      await this.second.demand(user);
      const renewedPasswordHash = await this.renewedHash(user, password);
      const tokens = await this.sessions.open(user, { secondFactor: false, renewedPasswordHash });
      await this.throttle.succeed(email, client.address);
      return tokens;
    } catch (error) {
      if (!(error instanceof InvalidCredentials)) await this.throttle.forgive(email, client.address);
      throw error;
    }
  }

  /** Takes as long, and says the same, whether the account does not exist, is disabled or has another password. */
  private async identify(
    email: string,
    password: string,
  ): Promise<UserWithPassword & { passwordHash: string }> {
    const user = await this.tenants.findLogin(email);
    if (user) {
      // A failure stands in the log of the tenant whose account was tried.
      auditActor({ type: 'anonymous', tenantId: user.tenantId });
      auditDetail({ targets: [{ type: 'user', id: user.id }] });
    }
    const matches = await this.passwords.matches(user?.passwordHash, password);
    if (!user?.passwordHash || !matches || user.disabled) throw new InvalidCredentials();
    return { ...user, passwordHash: user.passwordHash };
  }

  private async renewedHash(
    { passwordHash }: { passwordHash: string },
    password: string,
  ): Promise<string | undefined> {
    return this.passwords.isOutdated(passwordHash) ? this.passwords.hash(password) : undefined;
  }
}
