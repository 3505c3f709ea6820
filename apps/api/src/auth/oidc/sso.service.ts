import { Injectable } from '@nestjs/common';
import { auditActor, auditDetail } from '#libs/audit';
import { type Principal, SessionRequired } from '#libs/auth';
import { TenantDb } from '#libs/database';
import { DomainError } from '#libs/errors';
import {
  AddressTaken,
  ColleaguesService,
  tenantIdOf,
  TenantsService,
  type User,
} from '../../tenants/index.js';
import { SessionService, type Tokens } from '../sessions/session.service.js';
import { SecondStepService } from '../totp/second-step.service.js';
import { VerifiedCredentials } from '../verified-credentials.js';
import { LoginStates } from './login-state.js';
import { domainsIn, type OidcConfig, roleMeant } from './oidc.config.js';
import { SsoAccountUnknown, SsoStateInvalid } from './oidc.errors.js';
import { OidcProvider, type SsoClaims } from './oidc.provider.js';
import { findIdentityOwner, identityHash, linkIdentity, unlinkIdentities } from './sso-identity.store.js';

/** The longest that an address may be (RFC 5321), and what it has to look like to be one. */
const ADDRESS = /^[^\s@]{1,64}@[^\s@]{1,189}$/;

/** Logging in by an OpenID provider. Passwords go on working beside it, also while the provider is down. */
@Injectable()
export class SsoService {
  constructor(
    private readonly db: TenantDb,
    private readonly tenants: TenantsService,
    private readonly colleagues: ColleaguesService,
    private readonly sessions: SessionService,
    private readonly verified: VerifiedCredentials,
    private readonly provider: OidcProvider,
    private readonly states: LoginStates,
    private readonly config: OidcConfig,
    private readonly second: SecondStepService,
  ) {}

  /** @throws SsoNotConfigured, and what the policy `oidc` throws */
  async begin(): Promise<{ location: string; cookie: string }> {
    const { url, state } = await this.provider.begin();
    return { location: url.href, cookie: this.states.cookie(state) };
  }

  /** Has the browser forget that it began a login. */
  get emptyCookie(): string {
    return this.states.emptyCookie;
  }

  /** @throws SsoStateInvalid @throws SsoRefused @throws SsoAccountUnknown @throws SecondFactorRequired, and what the policy `oidc` throws */
  async finish(query: string, cookieHeader: string | undefined): Promise<Tokens> {
    const state = this.states.open(cookieHeader);
    if (!state || new URLSearchParams(query).get('state') !== state.state) throw new SsoStateInvalid();
    const claims = await this.provider.finish(query, state);
    const user = (await this.findLinked(claims)) ?? (await this.linkByAddress(claims));
    if (!user || user.disabled) throw new SsoAccountUnknown();
    const today = await this.withRole(user, claims);
    const { secondFactor } = claims;
    if (!secondFactor) await this.second.demandWhereRequired(today);
    return this.sessions.open(today, { secondFactor });
  }

  /** Ends our session. Where the browser should go on to end the provider's too, unless that cannot be known now. */
  async logout(principal: Principal): Promise<string | null> {
    await this.sessions.logout(principal, { everywhere: false });
    try {
      return (await this.provider.logoutUrl())?.href ?? null;
    } catch (error) {
      if (error instanceof DomainError) return null;
      throw error;
    }
  }

  /**
   * For somebody whom the provider knows by another identity from now on. A key must not open the way for others.
   *
   * @throws SessionRequired, UserNotFound, RoleOutOfReach
   */
  async unlink(principal: Principal, userId: string): Promise<void> {
    const { tenantId, via } = principal;
    if (via !== 'session') throw new SessionRequired();
    await this.db.change(tenantId, async (tx) => {
      // A change of nothing, for what it checks: that he is there, and not above who asks.
      await this.colleagues.change(tx, principal, userId, {});
      const links = await unlinkIdentities(tx, tenantId, userId);
      auditDetail({ targets: [{ type: 'user', id: userId }], detail: { links } });
    });
  }

  private async findLinked({ issuer, subject }: SsoClaims): Promise<User | undefined> {
    const hash = identityHash({ issuer, subject });
    const owner = await this.db.findByCredential(hash, (tx) => findIdentityOwner(tx, hash));
    if (!owner) return undefined;
    noteUser(owner.tenantId, owner.userId);
    return this.db.read(owner.tenantId, (tx) => this.tenants.findUser(tx, owner.tenantId, owner.userId));
  }

  /** The first time somebody comes by the provider: his address leads to his account, if the provider has verified it. */
  private async linkByAddress(claims: SsoClaims): Promise<User | undefined> {
    const { email, emailVerified } = claims;
    if (!email || !emailVerified || !ADDRESS.test(email) || !this.mayCome(email)) {
      auditDetail({ detail: { email_verified: emailVerified } });
      return undefined;
    }
    const known = await this.tenants.findLogin(email);
    if (known) noteUser(known.tenantId, known.id);
    if (known?.disabled) return undefined;
    return known ? this.link(known, claims) : this.create(email, claims);
  }

  private async link(user: User, { issuer, subject }: SsoClaims): Promise<User> {
    const { tenantId, id: userId } = user;
    await this.db.change(tenantId, async (tx) => {
      if (!(await linkIdentity(tx, { tenantId, userId, issuer, subject }))) throw new SsoAccountUnknown();
      auditDetail({ detail: { linked: true } });
    });
    return user;
  }

  private async create(email: string, { issuer, subject, roles }: SsoClaims): Promise<User | undefined> {
    const tenantId = tenantIdOf(this.config.tenant);
    if (!this.config.createUsers || !(await this.tenants.exists(tenantId))) return undefined;
    const role = roleMeant(this.config.roleMap, roles ?? []) ?? this.config.defaultRole;
    try {
      return await this.db.change(tenantId, async (tx) => {
        const user = await this.tenants.createUser(tx, { tenantId, email, role });
        await linkIdentity(tx, { tenantId, userId: user.id, issuer, subject });
        noteUser(tenantId, user.id);
        auditDetail({ detail: { created: true, role } });
        return user;
      });
    } catch (error) {
      // The same person came twice at the same moment; the account is there, and the next login finds it.
      if (error instanceof AddressTaken) return undefined;
      throw error;
    }
  }

  /** As the provider says today, except of operators and of the last administrator. */
  private async withRole(user: User, { roles }: SsoClaims): Promise<User> {
    const { tenantId, id } = user;
    const role = this.config.roleClaim ? roleMeant(this.config.roleMap, roles ?? []) : undefined;
    if (!role || role === user.role || user.role === 'operator') return user;
    const hasRole = await this.db.change(tenantId, async (tx) => {
      const follows = await this.colleagues.follow(tx, user, role);
      auditDetail({ detail: follows ? { role } : { kept_role: 'last-administrator' } });
      return follows;
    });
    if (!hasRole) return user;
    this.verified.forget((known) => known.tenantId === tenantId && known.userId === id);
    return { ...user, role };
  }

  private mayCome(email: string): boolean {
    const domains = domainsIn(this.config.allowedDomains);
    const domain = email.slice(email.lastIndexOf('@') + 1).toLowerCase();
    return domains.length === 0 || domains.includes(domain);
  }
}

/** So that a refusal stands in the log of the tenant whose account it is about. */
function noteUser(tenantId: string, userId: string): void {
  auditActor({ type: 'anonymous', tenantId });
  auditDetail({ targets: [{ type: 'user', id: userId }] });
}
