import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Role } from '#libs/auth';
import { TenantDb, uuidv5, uuidv7 } from '#libs/database';
import type { Account, TenantSettings, User, UserWithPassword } from './tenant.js';
import { findTenant, insertTenant } from './tenant.store.js';
import { AccountNotFound, AddressTaken } from './tenants.errors.js';
import { findUser, findUserByEmail, insertUser, lockPassword, updatePasswordHash } from './user.store.js';

/** Names below it give tenants their ids. Never change it: every start would make the first tenant again. */
const TENANT_NAMESPACE = '5f1f7b0e-6a5c-4d0e-9a3e-0d6d0a4a2f11';

export interface NewUser {
  tenantId: string;
  email: string;
  /** Absent for who logs in elsewhere. */
  passwordHash?: string;
  role: Role;
}

/** Organisations and their people. A user belongs to exactly one tenant; an e-mail address to exactly one user. */
@Injectable()
export class TenantsService {
  constructor(private readonly db: TenantDb) {}

  /** The account that an e-mail address belongs to, before anybody has proven that it is his. */
  findLogin(email: string): Promise<UserWithPassword | undefined> {
    const address = normalEmail(email);
    return this.db.findByCredential(address, (tx) => findUserByEmail(tx, address));
  }

  findUser(tx: EntityManager, tenantId: string, userId: string): Promise<User | undefined> {
    return findUser(tx, tenantId, userId);
  }

  /** In somebody's transaction. None where there is no such tenant. */
  async settingsOf(tx: EntityManager, tenantId: string): Promise<TenantSettings> {
    return (await findTenant(tx, tenantId))?.settings ?? {};
  }

  /** @throws AccountNotFound */
  getAccount(tenantId: string, userId: string): Promise<Account> {
    return this.db.read(tenantId, async (tx) => {
      const user = await findUser(tx, tenantId, userId);
      const tenant = await findTenant(tx, tenantId);
      if (!user || !tenant) throw new AccountNotFound();
      return { user, tenantName: tenant.name };
    });
  }

  /** @throws AddressTaken */
  async createUser(tx: EntityManager, { tenantId, email, passwordHash, role }: NewUser): Promise<User> {
    const user = { tenantId, id: uuidv7(), email: normalEmail(email), role };
    if (!(await insertUser(tx, { ...user, passwordHash }))) throw new AddressTaken();
    return { ...user, disabled: false };
  }

  /** Undefined where there is none. Nobody else changes it until the commit. */
  lockPassword(
    tx: EntityManager,
    { tenantId, id }: Pick<User, 'tenantId' | 'id'>,
  ): Promise<string | undefined> {
    return lockPassword(tx, tenantId, id);
  }

  replacePasswordHash(
    tx: EntityManager,
    user: Pick<User, 'tenantId' | 'id'>,
    passwordHash: string,
  ): Promise<void> {
    return updatePasswordHash(tx, user, passwordHash);
  }

  /** Whether its sessions have to have one. */
  async requiresSecondFactor(tx: EntityManager, tenantId: string): Promise<boolean> {
    return (await findTenant(tx, tenantId))?.settings.require_second_factor ?? false;
  }

  exists(tenantId: string): Promise<boolean> {
    return this.db.read(tenantId, async (tx) => (await findTenant(tx, tenantId)) !== undefined);
  }

  /** False when it exists already. Of several callers at once exactly one gets true, and the others wait for it. */
  createTenant(tx: EntityManager, name: string, tenantId = tenantIdOf(name)): Promise<boolean> {
    return insertTenant(tx, tenantId, name);
  }
}

/** A tenant's id follows from the name it was created with, so that replicas agree on it without asking. */
export function tenantIdOf(name: string): string {
  return uuidv5(TENANT_NAMESPACE, name);
}

/** As addresses are stored and compared. */
export function normalEmail(email: string): string {
  return email.toLowerCase();
}
