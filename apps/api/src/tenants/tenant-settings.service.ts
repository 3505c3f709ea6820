import { Injectable } from '@nestjs/common';
import { auditDetail, type AuditDetail } from '#libs/audit';
import type { Principal } from '#libs/auth';
import { TenantDb } from '#libs/database';
import { StoredTenantRules } from './stored-tenant-rules.js';
import { changedSettings, type ChangeSettings, type Tenant } from './tenant.js';
import { findTenant, lockTenant, updateTenant } from './tenant.store.js';
import { TenantNotFound } from './tenants.errors.js';

/** One's own tenant and its settings. */
@Injectable()
export class TenantSettingsService {
  constructor(
    private readonly db: TenantDb,
    private readonly rules: StoredTenantRules,
  ) {}

  /** @throws TenantNotFound */
  get({ tenantId }: Principal): Promise<Tenant> {
    return this.db.read(tenantId, async (tx) => {
      const tenant = await findTenant(tx, tenantId);
      if (!tenant) throw new TenantNotFound();
      return tenant;
    });
  }

  /** @throws TenantNotFound */
  async change({ tenantId }: Principal, change: ChangeSettings): Promise<Tenant> {
    const changed = await this.db.change(tenantId, async (tx) => {
      const tenant = await lockTenant(tx, tenantId);
      if (!tenant) throw new TenantNotFound();
      const settings = changedSettings(tenant.settings, change);
      await updateTenant(tx, tenantId, { settings });
      auditDetail({ targets: [{ type: 'tenant', id: tenantId }], detail: harmless(change) });
      return { ...tenant, settings };
    });
    this.rules.forget(tenantId);
    return changed;
  }
}

/** Names of collections are somebody's words. */
function harmless({ collection_retention_days: collections, ...change }: ChangeSettings): AuditDetail {
  return { ...change, ...(collections && { collection_retention_days: Object.values(collections) }) };
}
