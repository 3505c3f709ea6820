import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { auditDetail, AuditLog } from '#libs/audit';
import type { Principal } from '#libs/auth';
import { TenantDb } from '#libs/database';
import { newResourceId } from '#libs/http';
import { UsersService } from '../../auth/index.js';
import { OwnTenant, TenantDirectory } from '../../tenants/index.js';
import { assertMayDeleteTenant } from '../holds.js';
import { cancelWaiting } from '../erasure/run.store.js';
import { DeletionNotFound, DeletionUnderWay, TenantNameMismatch } from '../privacy.errors.js';
import { endSuspension, findDeletion, insertDeletion, type TenantDeletion } from './tenant-deletion.store.js';

/** Deleting tenants, as operators do: suspended at once, and gone after the days of grace. */
@Injectable()
export class TenantDeletionsService {
  constructor(
    private readonly db: TenantDb,
    private readonly directory: TenantDirectory,
    private readonly users: UsersService,
    private readonly audit: AuditLog,
  ) {}

  /** @throws TenantNotFound, TenantNameMismatch, OwnTenant, DeletionUnderWay, LegalHoldInForce */
  async request(
    principal: Principal,
    tenantId: string,
    { name, graceDays }: { name: string; graceDays: number },
  ): Promise<TenantDeletion> {
    if (tenantId === principal.tenantId) throw new OwnTenant('delete');
    const tenant = await this.directory.get(tenantId);
    if (tenant.name !== name) throw new TenantNameMismatch();
    await this.db.read(tenantId, (tx) => assertMayDeleteTenant(tx, tenantId));
    const id = newResourceId();
    const deletion = await this.db.changeAsOperator(principal.tenantId, async (tx) => {
      auditDetail({ targets: [{ type: 'tenant', id: tenantId }], detail: { grace_days: graceDays } });
      const before = await findDeletion(tx, tenantId);
      if (before?.id === id) return before;
      const requested = { id, tenantId, requestedBy: principal.userId, graceDays };
      const made = await insertDeletion(tx, requested);
      if (!made) throw new DeletionUnderWay(before?.state ?? 'waiting');
      return made;
    });
    await this.tellTenant('tenant.delete', tenantId, principal);
    this.users.forgetTenant(tenantId);
    return deletion;
  }

  /** @throws DeletionNotFound, DeletionUnderWay */
  async cancel(principal: Principal, tenantId: string): Promise<TenantDeletion> {
    const cancelled = await this.db.changeAsOperator(principal.tenantId, async (tx) => {
      auditDetail({ targets: [{ type: 'tenant', id: tenantId }] });
      const { id, state, wasSuspended } = await getDeletion(tx, tenantId);
      if (!(await cancelWaiting(tx, 'tenant_deletion', { tenantId, id }))) throw new DeletionUnderWay(state);
      if (!wasSuspended) await endSuspension(tx, tenantId);
      return getDeletion(tx, tenantId);
    });
    await this.tellTenant('tenant.delete.cancel', tenantId, principal);
    this.users.forgetTenant(tenantId);
    return cancelled;
  }

  /** @throws DeletionNotFound */
  get(tenantId: string): Promise<TenantDeletion> {
    return this.db.runAsOperator((tx) => getDeletion(tx, tenantId));
  }

  /** The operator's own log has it with the change; the tenant's has it too. */
  private tellTenant(action: string, tenantId: string, { userId }: Principal): Promise<void> {
    return this.audit.note({
      action,
      category: 'admin',
      actor: { type: 'system', tenantId },
      targets: [{ type: 'tenant', id: tenantId }],
      outcome: 'success',
      context: {},
      detail: { operator_id: userId },
    });
  }
}

async function getDeletion(tx: EntityManager, tenantId: string): Promise<TenantDeletion> {
  const deletion = await findDeletion(tx, tenantId);
  if (!deletion) throw new DeletionNotFound();
  return deletion;
}
