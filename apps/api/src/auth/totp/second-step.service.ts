import { Injectable } from '@nestjs/common';
import { auditActor, auditDetail } from '#libs/audit';
import { TenantDb } from '#libs/database';
import { SealingKey } from '#libs/secrets';
import { TenantsService, type User } from '../../tenants/index.js';
import { LoginThrottle } from '../passwords/login-throttle.js';
import { SessionService, type Tokens } from '../sessions/session.service.js';
import {
  CHALLENGE_SECONDS,
  type ChallengeClaims,
  newChallenge,
  openChallenge,
  passwordMark,
} from './login-challenge.js';
import { SecondFactors } from './second-factors.js';
import { ChallengeInvalid, SecondFactorInvalid, SecondFactorRequired } from './totp.errors.js';

/** In the mark of a challenge, of who comes by a provider only. */
const NO_PASSWORD = '';

/** The second step of a login, for those who have turned it on. */
@Injectable()
export class SecondStepService {
  constructor(
    private readonly db: TenantDb,
    private readonly tenants: TenantsService,
    private readonly factors: SecondFactors,
    private readonly sealing: SealingKey,
    private readonly throttle: LoginThrottle,
    private readonly sessions: SessionService,
  ) {}

  /** @throws SecondFactorRequired with what the second step needs */
  async demand({ tenantId, id, passwordHash }: User & { passwordHash: string }): Promise<void> {
    if (!(await this.factors.isEnabled({ tenantId, userId: id }))) return;
    const challenge = newChallenge(this.sealing, { tenantId, userId: id, passwordHash });
    throw new SecondFactorRequired(challenge, CHALLENGE_SECONDS);
  }

  /**
   * Of somebody whose provider does not say that he showed a second factor, where his tenant requires one and he has
   * one here.
   *
   * @throws SecondFactorRequired with what the second step needs
   */
  async demandWhereRequired(user: User): Promise<void> {
    const { tenantId, id } = user;
    const isRequired = await this.db.read(tenantId, (tx) => this.tenants.requiresSecondFactor(tx, tenantId));
    if (!isRequired) return;
    // Nobody logs in by a password that is not there.
    const hash = await this.db.run(tenantId, (tx) => this.tenants.lockPassword(tx, user));
    await this.demand({ ...user, id, passwordHash: hash ?? NO_PASSWORD });
  }

  /** @throws ChallengeInvalid, SecondFactorInvalid, TooManyLogins */
  async complete(challenge: string, code: string, address: string): Promise<Tokens> {
    const claims = openChallenge(this.sealing, challenge);
    if (!claims) throw new ChallengeInvalid();
    auditActor({ type: 'anonymous', tenantId: claims.tenantId });
    auditDetail({ targets: [{ type: 'user', id: claims.userId }] });
    const account = `second factor of ${claims.userId}`;
    await this.throttle.admit(account, address);
    try {
      const user = await this.useCode(claims, code);
      const tokens = await this.sessions.open(user, { secondFactor: true });
      await this.throttle.succeed(account, address);
      await this.throttle.know(user.email, address);
      return tokens;
    } catch (error) {
      if (!(error instanceof SecondFactorInvalid)) await this.throttle.forgive(account, address);
      throw error;
    }
  }

  /** Its record is that of the session which begins with it. */
  private useCode({ tenantId, userId, passwordMark: mark }: ChallengeClaims, code: string): Promise<User> {
    return this.db.run(tenantId, async (tx) => {
      const user = await this.tenants.findUser(tx, tenantId, userId);
      const hash = (await this.tenants.lockPassword(tx, { tenantId, id: userId })) ?? NO_PASSWORD;
      if (!user || user.disabled || passwordMark(hash) !== mark) throw new ChallengeInvalid();
      const used = await this.factors.use(tx, { tenantId, userId }, code);
      if (!used) throw new SecondFactorInvalid();
      auditDetail({ detail: { factor: used } });
      return user;
    });
  }
}
