import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Role } from '#libs/auth';
import { TenantDb, uuidv5, uuidv7 } from '#libs/database';
import {
  type Account,
  findTenantName,
  findUser,
  findUserByEmail,
  insertTenant,
  insertUser,
  tenantExists,
  updatePasswordHash,
  type User,
  type UserWithPassword,
} from './tenant.store.js';
import { AccountNotFound } from './tenants.errors.js';

/** Names below it give tenants their ids. Never change it: every start would make the first tenant again. */
const TENANT_NAMESPACE = '5f1f7b0e-6a5c-4d0e-9a3e-0d6d0a4a2f11';

export interface NewUser {
  tenantId: string;
  email: string;
  passwordHash: string;
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

  /** @throws AccountNotFound */
  getAccount(tenantId: string, userId: string): Promise<Account> {
    return this.db.read(tenantId, async (tx) => {
      const user = await findUser(tx, tenantId, userId);
      const tenantName = await findTenantName(tx, tenantId);
      if (!user || tenantName === undefined) throw new AccountNotFound();
      return { user, tenantName };
    });
  }

  async createUser(tx: EntityManager, { tenantId, email, passwordHash, role }: NewUser): Promise<User> {
    const user = { tenantId, id: uuidv7(), email: normalEmail(email), role };
    await insertUser(tx, { ...user, passwordHash });
    return { ...user, disabled: false };
  }

  replacePasswordHash(tx: EntityManager, user: User, passwordHash: string): Promise<void> {
    return updatePasswordHash(tx, user, passwordHash);
  }

  exists(tenantId: string): Promise<boolean> {
    return this.db.read(tenantId, (tx) => tenantExists(tx, tenantId));
  }

  /** False when it exists already. Of several callers at once exactly one gets true, and the others wait for it. */
  createTenant(tx: EntityManager, name: string): Promise<boolean> {
    return insertTenant(tx, tenantIdOf(name), name);
  }
}

/** A tenant's id follows from the name it was created with, so that replicas agree on it without asking. */
export function tenantIdOf(name: string): string {
  return uuidv5(TENANT_NAMESPACE, name);
}

function normalEmail(email: string): string {
  return email.toLowerCase();
}
