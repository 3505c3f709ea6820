import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { auditActor, auditDetail } from '#libs/audit';
import { outranks, type Principal, type Role, roleAllows, SessionRequired } from '#libs/auth';
import { TenantDb, uuidv7 } from '#libs/database';
import { newResourceId } from '#libs/http';
import { normalEmail, RoleOutOfReach, type Tenant, TenantsService, type User } from '../../tenants/index.js';
import {
  InvitationClosed,
  InvitationNotFound,
  InvitationPending,
  OneTimeTokenInvalid,
  TooManyInvitations,
} from '../accounts/accounts.errors.js';
import { digestOfToken, newOneTimeToken } from '../accounts/one-time-token.js';
import { MailOutbox, Mails } from '../mail/index.js';
import { PasswordHasher } from '../passwords/password-hasher.js';
import { assertAcceptablePassword } from '../passwords/password-policy.js';
import {
  acceptInvitation,
  countOpen,
  findInvitation,
  findPending,
  findPresented,
  insertInvitation,
  type Invitation,
  listInvitations,
  lockInvitations,
  renewInvitation,
  revokeInvitation,
} from './invitation.store.js';

const LIFE_SECONDS = 7 * 86_400;
const MOST_OPEN = 500;

/**
 * Asking people into a tenant by mail. Whether an address has an account elsewhere is told to nobody but its owner, and
 * not before he has shown the token that only he was sent.
 */
@Injectable()
export class InvitationsService {
  constructor(
    private readonly db: TenantDb,
    private readonly tenants: TenantsService,
    private readonly passwords: PasswordHasher,
    private readonly outbox: MailOutbox,
    private readonly mails: Mails,
  ) {}

  /** The newest first: those before `beforeId`, `limit` at most. */
  list({ tenantId }: Principal, page: { beforeId?: string; limit: number }): Promise<Invitation[]> {
    return this.db.read(tenantId, (tx) => listInvitations(tx, tenantId, page));
  }

  /**
   * A stolen key must not bring in people who outlive it.
   *
   * @throws SessionRequired, RoleOutOfReach, InvitationPending, TooManyInvitations
   */
  async invite(principal: Principal, address: string, role: Role): Promise<Invitation> {
    if (principal.via !== 'session') throw new SessionRequired();
    const { tenantId, userId } = principal;
    if (outranks(role, principal.role)) throw new RoleOutOfReach();
    const email = normalEmail(address);
    const id = newResourceId();
    const { tenantName } = await this.tenants.getAccount(tenantId, userId);
    return this.db.change(tenantId, async (tx) => {
      await lockInvitations(tx, tenantId);
      auditDetail({ targets: [{ type: 'invitation', id }], detail: { role } });
      const earlier = await findInvitation(tx, tenantId, id);
      if (earlier) return earlier; // The same request made it before.
      const pending = await findPending(tx, tenantId, email);
      if (pending?.state === 'open') throw new InvitationPending();
      if (pending) await revokeInvitation(tx, tenantId, pending.id);
      if ((await countOpen(tx, tenantId)) >= MOST_OPEN) throw new TooManyInvitations(MOST_OPEN);
      await this.send(tx, { tenantId, tenantName, id, email, role, invitedBy: userId });
      return (await findInvitation(tx, tenantId, id))!;
    });
  }

  /** The first administrator of a tenant that is being made. */
  inviteFirst(tx: EntityManager, tenant: Tenant, address: string): Promise<void> {
    const email = normalEmail(address);
    return this.send(tx, {
      tenantId: tenant.id,
      tenantName: tenant.name,
      id: uuidv7(),
      email,
      role: 'admin',
    });
  }

  /**
   * Again, with another token and all of its time; whoever does it answers for it from now on.
   *
   * @throws SessionRequired, InvitationNotFound, InvitationClosed, RoleOutOfReach
   */
  async resend(principal: Principal, id: string): Promise<Invitation> {
    const { tenantId, userId, role } = principal;
    if (principal.via !== 'session') throw new SessionRequired();
    const { tenantName } = await this.tenants.getAccount(tenantId, userId);
    const token = newOneTimeToken();
    return this.db.change(tenantId, async (tx) => {
      auditDetail({ targets: [{ type: 'invitation', id }] });
      const invitation = await findInvitation(tx, tenantId, id);
      if (!invitation) throw new InvitationNotFound();
      if (outranks(invitation.role, role)) throw new RoleOutOfReach();
      if (invitation.state === 'accepted' || invitation.state === 'revoked') throw new InvitationClosed();
      const tokenHash = digestOfToken(token);
      await renewInvitation(tx, tenantId, { id, invitedBy: userId, tokenHash, lifeSeconds: LIFE_SECONDS });
      await this.mail(tx, { tenantId, tenantName, email: invitation.email, token });
      return (await findInvitation(tx, tenantId, id))!;
    });
  }

  /** One that does not exist is as revoked as it can be. @throws InvitationClosed when it was accepted */
  revoke({ tenantId }: Principal, id: string): Promise<void> {
    return this.db.change(tenantId, async (tx) => {
      const revoked = await revokeInvitation(tx, tenantId, id);
      auditDetail({ targets: [{ type: 'invitation', id }], detail: { revoked } });
      if (!revoked && (await findInvitation(tx, tenantId, id))?.state === 'accepted')
        throw new InvitationClosed();
    });
  }

  /**
   * What somebody asked for who may not ask for it any more is void: else he could come back through it himself.
   *
   * @throws OneTimeTokenInvalid, PasswordRefused, AddressTaken, LoginBusy
   */
  async accept(token: string, password: string): Promise<User> {
    const tokenHash = digestOfToken(token);
    const presented = await this.db.findByCredential(tokenHash, (tx) => findPresented(tx, tokenHash));
    if (!presented) throw new OneTimeTokenInvalid();
    const { tenantId, id, email } = presented;
    auditActor({ type: 'anonymous', tenantId });
    auditDetail({ targets: [{ type: 'invitation', id }] });
    assertAcceptablePassword(password, email);
    const passwordHash = await this.passwords.hash(password);
    return this.db.change(tenantId, async (tx) => {
      const accepted = await acceptInvitation(tx, tenantId, { id, tokenHash });
      if (!accepted || !(await this.isVouchedFor(tx, tenantId, accepted))) throw new OneTimeTokenInvalid();
      const { email, role } = accepted;
      const user = await this.tenants.createUser(tx, { tenantId, passwordHash, email, role });
      auditDetail({ targets: [{ type: 'user', id: user.id }], detail: { role: user.role } });
      return user;
    });
  }

  /** By an operator from elsewhere, or by somebody who may still invite into this role. */
  private async isVouchedFor(
    tx: EntityManager,
    tenantId: string,
    { invitedBy, role }: { invitedBy: string | null; role: Role },
  ): Promise<boolean> {
    if (invitedBy === null) return true;
    const inviter = await this.tenants.findUser(tx, tenantId, invitedBy);
    if (!inviter || inviter.disabled) return false;
    return roleAllows(inviter.role, 'user.manage') && !outranks(role, inviter.role);
  }

  private async send(
    tx: EntityManager,
    invitation: {
      tenantId: string;
      tenantName: string;
      id: string;
      email: string;
      role: Role;
      invitedBy?: string;
    },
  ): Promise<void> {
    const token = newOneTimeToken();
    await insertInvitation(tx, { ...invitation, tokenHash: digestOfToken(token), lifeSeconds: LIFE_SECONDS });
    await this.mail(tx, { ...invitation, token });
  }

  private mail(
    tx: EntityManager,
    {
      tenantId,
      tenantName,
      email,
      token,
    }: { tenantId: string; tenantName: string; email: string; token: string },
  ): Promise<void> {
    const mail = this.mails.invitation(email, { tenantName, token, lifeSeconds: LIFE_SECONDS });
    return this.outbox.add(tx, tenantId, mail, LIFE_SECONDS);
  }
}
