import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { outranks, type Principal, type Role } from '#libs/auth';
import { TenantDb } from '#libs/database';
import type { Colleague } from './tenant.js';
import { LastAdministrator, RoleOutOfReach, UserBeingErased, UserNotFound } from './tenants.errors.js';
import {
  findColleague,
  listColleagues,
  lockAdministrators,
  lockErasable,
  markErasing,
  markRemoved,
  unmarkErasing,
  updateUser,
} from './user.store.js';

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
   * @throws UserNotFound, RoleOutOfReach, LastAdministrator, UserBeingErased
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
    if (before.erasingAt) throw new UserBeingErased();
    if (outranks(before.role, role) || (change.role && outranks(change.role, role)))
      throw new RoleOutOfReach();
    const remains = isAdministrator(change.role ?? before.role) && !(change.suspended ?? before.suspendedAt);
    if (!remains) assertOthers(administrators, id);
    await updateUser(tx, { tenantId, id }, change);
    return { before, after: await getColleague(tx, tenantId, id) };
  }

  /**
   * As an identity provider says. A slip there must not leave the tenant without anybody who can run it.
   *
   * @returns whether he has the role now
   */
  async follow(
    tx: EntityManager,
    { tenantId, id }: { tenantId: string; id: string },
    role: Role,
  ): Promise<boolean> {
    const administrators = await lockAdministrators(tx, tenantId);
    if (!isAdministrator(role) && isLast(administrators, id)) return false;
    await updateUser(tx, { tenantId, id }, { role });
    return true;
  }

  /** @throws UserNotFound, RoleOutOfReach, LastAdministrator, UserBeingErased */
  async remove(tx: EntityManager, { tenantId, role }: Principal, id: string): Promise<void> {
    const administrators = await lockAdministrators(tx, tenantId);
    const colleague = await getColleague(tx, tenantId, id);
    if (colleague.erasingAt) throw new UserBeingErased();
    if (outranks(colleague.role, role)) throw new RoleOutOfReach();
    assertOthers(administrators, id);
    await markRemoved(tx, tenantId, id);
  }

  /**
   * Keeps somebody out until he is erased or `releaseFromErasure` is called. Somebody who has been removed may be erased
   * as well: his documents are still there.
   *
   * @returns whether he was suspended before
   * @throws UserNotFound, RoleOutOfReach, LastAdministrator, UserBeingErased
   */
  async markForErasure(
    tx: EntityManager,
    by: Pick<Principal, 'tenantId' | 'role'>,
    id: string,
  ): Promise<{ wasSuspended: boolean }> {
    await lockAdministrators(tx, by.tenantId);
    const user = await lockErasable(tx, by.tenantId, id);
    if (!user) throw new UserNotFound();
    if (user.erasing) throw new UserBeingErased();
    if (!user.removed) await this.change(tx, by, id, { suspended: true });
    await markErasing(tx, by.tenantId, id);
    return { wasSuspended: user.suspended };
  }

  releaseFromErasure(
    tx: EntityManager,
    tenantId: string,
    id: string,
    before: { wasSuspended: boolean },
  ): Promise<void> {
    return unmarkErasing(tx, tenantId, id, before);
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
  if (isLast(administrators, id)) throw new LastAdministrator();
}

const isLast = (administrators: readonly string[], id: string) =>
  administrators.length === 1 && administrators[0] === id;
