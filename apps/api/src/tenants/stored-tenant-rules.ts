import { Injectable } from '@nestjs/common';
import { type TenantRules, TenantRulesSource } from '#libs/auth';
import { TenantDb } from '#libs/database';
import { SingleFlight } from '#libs/resilience';
import { findTenant } from './tenant.store.js';

/** Within it a change takes hold in the other processes, as one of a role does. */
const FRESH_MS = 5_000;
const MOST_TENANTS = 10_000;
const STRICTEST: TenantRules = { allowedModels: [] };

/** The rules of tenants, read from the database and believed for five seconds, or as long as it cannot be asked. */
@Injectable()
export class StoredTenantRules extends TenantRulesSource {
  private readonly known = new Map<string, { rules: TenantRules; readAt: number }>();
  private readonly looks = new SingleFlight<TenantRules>();

  constructor(private readonly db: Pick<TenantDb, 'read'>) {
    super();
  }

  override async of(tenantId: string): Promise<TenantRules> {
    const known = this.known.get(tenantId);
    if (known && performance.now() - known.readAt < FRESH_MS) return known.rules;
    try {
      return await this.looks.run(tenantId, () => this.look(tenantId));
    } catch {
      return known?.rules ?? STRICTEST;
    }
  }

  /** They were just changed. */
  forget(tenantId: string): void {
    this.known.delete(tenantId);
  }

  private async look(tenantId: string): Promise<TenantRules> {
    const tenant = await this.db.read(tenantId, (tx) => findTenant(tx, tenantId));
    const { answer_threshold: answerThreshold, allowed_models: allowedModels } = tenant?.settings ?? {};
    const rules = { answerThreshold, allowedModels };
    this.remember(tenantId, rules);
    return rules;
  }

  /** The one that was read longest ago is worth least. */
  private remember(tenantId: string, rules: TenantRules): void {
    this.known.delete(tenantId);
    this.known.set(tenantId, { rules, readAt: performance.now() });
    if (this.known.size > MOST_TENANTS) this.known.delete(this.known.keys().next().value!);
  }
}
