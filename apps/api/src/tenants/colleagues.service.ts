import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { outranks, type Principal, type Role } from '#libs/auth';
import { TenantDb } from '#libs/database';
import type { Colleague } from './tenant.js';
import { LastAdministrator, RoleOutOfReach, UserNotFound } from './tenants.errors.js';
import { findColleague, listColleagues, lockAdministrators, markRemoved, updateUser } from './user.store.js';

export interface UserChange {
  role?: Role;
  suspended?: boolean;
}

/** The users of a tenant, as its administrators manage them. There is always somebody left who can. */
@Injectable()
export class ColleaguesService {
  constructor(private readonly db: TenantDb) {}

  list({ tenantId }: Principal, page: { afterId?: string; limit: number }): Promise<Colleague[]> {
    return this.db.read(tenantId, (tx) => listColleagues(tx, tenantId, page));
  }

  /** @throws UserNotFound */
  get({ tenantId }: Principal, id: string): Promise<Colleague> {
    return this.db.read(tenantId, (tx) => getColleague(tx, tenantId, id));
  }

  /** In somebody's transaction. @throws UserNotFound */
  find(tx: EntityManager, tenantId: string, id: string): Promise<Colleague> {
    return getColleague(tx, tenantId, id);
  }

  /**
   * In the transaction of somebody who also ends the sessions.
   *
   * @throws UserNotFound, RoleOutOfReach, LastAdministrator
   */
  async change(
    tx: EntityManager,
    by: Pick<Principal, 'tenantId' | 'role'>,
    id: string,
    change: UserChange,
  ): Promise<{ before: Colleague; after: Colleague }> {
    const { tenantId, role } = by;
    const administrators = await lockAdministrators(tx, tenantId);
    const before = await getColleague(tx, tenantId, id);
    if (outranks(before.role, role) || (change.role && outranks(change.role, role)))
      throw new RoleOutOfReach();
    const remains = isAdministrator(change.role ?? before.role) && !(change.suspended ?? before.suspendedAt);
    if (!remains) assertOthers(administrators, id);
    await updateUser(tx, { tenantId, id }, change);
    return { before, after: await getColleague(tx, tenantId, id) };
  }

  /** @throws UserNotFound, RoleOutOfReach, LastAdministrator */
  async remove(tx: EntityManager, { tenantId, role }: Principal, id: string): Promise<void> {
    const administrators = await lockAdministrators(tx, tenantId);
    const colleague = await getColleague(tx, tenantId, id);
    if (outranks(colleague.role, role)) throw new RoleOutOfReach();
    assertOthers(administrators, id);
    await markRemoved(tx, tenantId, id);
  }
}

async function getColleague(tx: EntityManager, tenantId: string, id: string): Promise<Colleague> {
  const colleague = await findColleague(tx, tenantId, id);
  if (!colleague) throw new UserNotFound();
  return colleague;
}

const isAdministrator = (role: Role) => role === 'admin' || role === 'operator';

/** Of those who can run the tenant now, somebody besides this one must be there. */
function assertOthers(administrators: readonly string[], id: string): void {
  if (administrators.includes(id) && administrators.length === 1) throw new LastAdministrator();
}
