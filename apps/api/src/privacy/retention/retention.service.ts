import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { LegalHolds } from '#libs/audit';
import type { Principal } from '#libs/auth';
import { TenantDb } from '#libs/database';
import { TenantsService } from '../../tenants/index.js';
import { type ExpiringDocument, listExpiring, type RetentionRule } from './retention.js';

/** How long a tenant keeps documents, and which go next. */
@Injectable()
export class RetentionService {
  constructor(
    private readonly db: TenantDb,
    private readonly tenants: TenantsService,
    private readonly holds: LegalHolds,
  ) {}

  /** What goes within so many days, and what would but for a hold. Nothing is deleted by looking. */
  preview(
    { tenantId }: Principal,
    page: { withinDays: number; after?: { expiresAt: string; id: string }; limit: number },
  ): Promise<(ExpiringDocument & { position: string })[]> {
    return this.db.read(tenantId, async (tx) => {
      const rule = await this.ruleOf(tx, tenantId);
      const holds = await this.holds.covering(tx, { tenantId });
      return listExpiring(tx, { tenantId, rule, holds, ...page });
    });
  }

  /** What goes now. @param id of a single document that is asked about */
  async due(
    tx: EntityManager,
    tenantId: string,
    page: { id?: string; limit: number },
  ): Promise<ExpiringDocument[]> {
    const rule = await this.ruleOf(tx, tenantId);
    const holds = await this.holds.covering(tx, { tenantId });
    return listExpiring(tx, { tenantId, rule, holds, withinDays: 0, withoutHeld: true, ...page });
  }

  private async ruleOf(tx: EntityManager, tenantId: string): Promise<RetentionRule> {
    const { document_retention_days: documentDays, collection_retention_days: collectionDays = {} } =
      await this.tenants.settingsOf(tx, tenantId);
    return { documentDays, collectionDays };
  }
}
