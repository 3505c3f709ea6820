import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { auditDetail } from '#libs/audit';
import { type Principal, type Role, ROLES, SessionRequired } from '#libs/auth';
import { TenantDb } from '#libs/database';
import { IdempotentResponseNotKept, newResourceId } from '#libs/http';
import { revokeAllApiKeys } from '../api-keys/api-key.store.js';
import type { KeyOwner } from '../api-keys/api-keys.service.js';
import { VerifiedCredentials } from '../verified-credentials.js';
import {
  deleteServiceAccount,
  findServiceAccount,
  insertServiceAccount,
  listServiceAccounts,
  nameIsTaken,
  type ServiceAccount,
  updateServiceAccount,
} from './service-account.store.js';
import { RoleAboveOwn, ServiceAccountNameTaken, ServiceAccountNotFound } from './service-accounts.errors.js';

/** Accounts for programs: no password and no address, only API keys, which the tenant's administrators make. */
@Injectable()
export class ServiceAccountsService {
  constructor(
    private readonly db: TenantDb,
    private readonly verified: VerifiedCredentials,
  ) {}

  /** @throws ServiceAccountNameTaken @throws RoleAboveOwn */
  async create(principal: Principal, account: { name: string; role: Role }): Promise<ServiceAccount> {
    const { tenantId, userId: createdBy } = principal;
    assertMayAdminister(principal, account.role);
    return this.db.change(tenantId, async (tx) => {
      const id = newResourceId();
      auditDetail({ targets: [{ type: 'user', id }], detail: { role: account.role } });
      const before = await findServiceAccount(tx, tenantId, id);
      if (before) return before;
      if (await nameIsTaken(tx, tenantId, account.name)) throw new ServiceAccountNameTaken();
      const made = await insertServiceAccount(tx, { tenantId, id, createdBy, ...account });
      if (!made) throw new IdempotentResponseNotKept();
      return made;
    });
  }

  list({ tenantId }: Principal, page: { beforeId?: string; limit: number }): Promise<ServiceAccount[]> {
    return this.db.read(tenantId, (tx) => listServiceAccounts(tx, tenantId, page));
  }

  /** @throws ServiceAccountNotFound */
  get({ tenantId }: Principal, id: string): Promise<ServiceAccount> {
    return this.db.read(tenantId, (tx) => found(tx, tenantId, id));
  }

  /** A change of role takes hold at once here, and within five seconds elsewhere. */
  async update(
    principal: Principal,
    id: string,
    set: { name?: string; role?: Role },
  ): Promise<ServiceAccount> {
    const { tenantId } = principal;
    const updated = await this.db.change(tenantId, async (tx) => {
      const before = await found(tx, tenantId, id);
      assertMayAdminister(principal, before.role);
      assertMayAdminister(principal, set.role ?? before.role);
      if (set.name && set.name !== before.name && (await nameIsTaken(tx, tenantId, set.name)))
        throw new ServiceAccountNameTaken();
      await updateServiceAccount(tx, tenantId, id, set);
      auditDetail({ targets: [{ type: 'user', id }], detail: { role: set.role } });
      return found(tx, tenantId, id);
    });
    this.forget(tenantId, id);
    return updated;
  }

  /** With all its keys. @throws ServiceAccountNotFound */
  async delete(principal: Principal, id: string): Promise<void> {
    const { tenantId } = principal;
    await this.db.change(tenantId, async (tx) => {
      assertMayAdminister(principal, (await found(tx, tenantId, id)).role);
      await deleteServiceAccount(tx, tenantId, id);
      const revoked = await revokeAllApiKeys(tx, tenantId, id);
      auditDetail({
        targets: [{ type: 'user', id }, ...revoked.map((key) => ({ type: 'api-key', id: key }))],
      });
    });
    this.forget(tenantId, id);
  }

  /**
   * As whom keys of the account are made and ended.
   *
   * @throws ServiceAccountNotFound @throws RoleAboveOwn
   */
  async keyOwner(principal: Principal, id: string): Promise<KeyOwner> {
    const { role } = await this.get(principal, id);
    assertMayAdminister(principal, role);
    auditDetail({ targets: [{ type: 'user', id }] });
    return { tenantId: principal.tenantId, userId: id, role };
  }

  private forget(tenantId: string, userId: string): void {
    this.verified.forget((known) => known.tenantId === tenantId && known.userId === userId);
  }
}

async function found(tx: EntityManager, tenantId: string, id: string): Promise<ServiceAccount> {
  const account = await findServiceAccount(tx, tenantId, id);
  if (!account) throw new ServiceAccountNotFound();
  return account;
}

/** Roles contain one another. A stolen key must not make accounts that outlive it. */
function assertMayAdminister({ via, role: own }: Principal, role: Role): void {
  if (via !== 'session') throw new SessionRequired();
  if (ROLES.indexOf(role) > ROLES.indexOf(own)) throw new RoleAboveOwn();
}
