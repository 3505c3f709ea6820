import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { type AuditDetail, auditDetail, AuditLog } from '#libs/audit';
import type { Principal } from '#libs/auth';
import { TenantDb } from '#libs/database';
import type { Tenant } from './tenant.js';
import {
  findTenant,
  insertTenant,
  isBeingDeleted,
  listTenants,
  lockTenant,
  updateTenant,
} from './tenant.store.js';
import { OwnTenant, TenantBeingDeleted, TenantExists, TenantNotFound } from './tenants.errors.js';
import { tenantIdOf } from './tenants.service.js';

/** All tenants of the installation, as operators manage them. Of what is in them it shows nothing. */
@Injectable()
export class TenantDirectory {
  constructor(
    private readonly db: TenantDb,
    private readonly audit: AuditLog,
  ) {}

  /** By name: those after `afterName`, `limit` at most. */
  list(page: { afterName?: string; limit: number }): Promise<Tenant[]> {
    return this.db.runAsOperator((tx) => listTenants(tx, page));
  }

  /** @throws TenantNotFound */
  get(id: string): Promise<Tenant> {
    return this.db.runAsOperator((tx) => getTenant(tx, id));
  }

  /**
   * @param furnish what else the tenant needs from its first moment, in the same transaction
   * @throws TenantExists
   */
  create(
    { tenantId: operatorTenantId }: Principal,
    name: string,
    furnish: (tx: EntityManager, tenant: Tenant) => Promise<void>,
  ): Promise<Tenant> {
    const id = tenantIdOf(name);
    return this.db.changeAsOperator(operatorTenantId, async (tx) => {
      if (!(await insertTenant(tx, id, name))) throw new TenantExists();
      const tenant = await getTenant(tx, id);
      await furnish(tx, tenant);
      auditDetail({ targets: [{ type: 'tenant', id }] });
      return tenant;
    });
  }

  /**
   * The change stands in the operator's log with the change itself, and in the tenant's own log after it.
   *
   * @throws TenantNotFound, OwnTenant, TenantBeingDeleted
   */
  async setSuspended({ tenantId: own, userId }: Principal, id: string, suspended: boolean): Promise<Tenant> {
    if (id === own && suspended) throw new OwnTenant();
    const action = suspended ? 'tenant.suspend' : 'tenant.resume';
    return this.change({ own, userId }, id, { action }, async (tx) => {
      if (!suspended && (await isBeingDeleted(tx, id))) throw new TenantBeingDeleted();
      await updateTenant(tx, id, { suspended });
    });
  }

  /**
   * @param factor how many times the quotas of the installation it has; null: as many as the others
   * @throws TenantNotFound
   */
  async setQuotaFactor(
    { tenantId: own, userId }: Principal,
    id: string,
    factor: number | null,
  ): Promise<Tenant> {
    const detail = { quota_factor: factor };
    return this.change({ own, userId }, id, { action: 'tenant.quotas', detail }, async (tx, { settings }) => {
      const { quota_factor: _, ...others } = settings;
      await updateTenant(tx, id, {
        settings: factor === null ? others : { ...others, quota_factor: factor },
      });
    });
  }

  private async change(
    { own, userId }: { own: string; userId: string },
    id: string,
    { action, detail = {} }: { action: string; detail?: AuditDetail },
    work: (tx: EntityManager, tenant: Tenant) => Promise<void>,
  ): Promise<Tenant> {
    const targets = [{ type: 'tenant', id }];
    const tenant = await this.db.changeAsOperator(own, async (tx) => {
      const before = await lockTenant(tx, id);
      if (!before) throw new TenantNotFound();
      await work(tx, before);
      auditDetail({ targets, detail });
      return getTenant(tx, id);
    });
    await this.audit.note({
      action,
      category: 'admin',
      actor: { type: 'system', tenantId: id },
      targets,
      outcome: 'success',
      context: {},
      detail: { operator_id: userId, ...detail },
    });
    return tenant;
  }
}

async function getTenant(tx: EntityManager, id: string): Promise<Tenant> {
  const tenant = await findTenant(tx, id);
  if (!tenant) throw new TenantNotFound();
  return tenant;
}
