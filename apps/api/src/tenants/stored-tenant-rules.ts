import { Injectable } from '@nestjs/common';
import { type TenantRules, TenantRulesSource } from '#libs/auth';
import { TenantDb } from '#libs/database';
import { deadlineSignal, SingleFlight } from '#libs/resilience';
import { findTenant } from './tenant.store.js';

/** Within it a change takes hold in the other processes, as one of a role does. */
const BELIEVED_MS = 5_000;
/** Whoever goes on asking has the next look made for him meanwhile, so that no question waits for it. */
const RENEWED_AFTER_MS = 3_500;
/** A slow database keeps nobody waiting for rules that are known; without any, they are worth a wait. */
const RENEWAL_MS = 500;
const FIRST_LOOK_MS = 3_000;
const MOST_TENANTS = 10_000;
const STRICTEST: TenantRules = { allowedModels: [] };

/** The rules of tenants, read from the database and believed for five seconds, or as long as it cannot be asked. */
@Injectable()
export class StoredTenantRules extends TenantRulesSource {
  private readonly known = new Map<string, { rules: TenantRules; readAt: number }>();
  private readonly looks = new SingleFlight<TenantRules>();

  constructor(
    private readonly db: Pick<TenantDb, 'read'>,
    private readonly now: () => number = () => performance.now(),
  ) {
    super();
  }

  override async of(tenantId: string): Promise<TenantRules> {
    const known = this.known.get(tenantId);
    const age = known ? this.now() - known.readAt : Infinity;
    if (age >= RENEWED_AFTER_MS) {
      const renewed = this.renewed(tenantId, known?.rules);
      if (age >= BELIEVED_MS) return renewed;
    }
    return known!.rules;
  }

  private async renewed(tenantId: string, known?: TenantRules): Promise<TenantRules> {
    try {
      return await this.looks.run(tenantId, () => this.look(tenantId, known ? RENEWAL_MS : FIRST_LOOK_MS));
    } catch {
      return known ?? STRICTEST;
    }
  }

  /** They were just changed. */
  forget(tenantId: string): void {
    this.known.delete(tenantId);
  }

  private async look(tenantId: string, timeoutMs: number): Promise<TenantRules> {
    const { signal, clear } = deadlineSignal(timeoutMs);
    try {
      const options = { signal, timeoutMs, priority: 'critical' } as const;
      const tenant = await this.db.read(tenantId, (tx) => findTenant(tx, tenantId), options);
      const { answer_threshold: answerThreshold, allowed_models: allowedModels } = tenant?.settings ?? {};
      const rules = { answerThreshold, allowedModels };
      this.remember(tenantId, rules);
      return rules;
    } finally {
      clear();
    }
  }

  /** The one that was read longest ago is worth least. */
  private remember(tenantId: string, rules: TenantRules): void {
    this.known.delete(tenantId);
    this.known.set(tenantId, { rules, readAt: this.now() });
    if (this.known.size > MOST_TENANTS) this.known.delete(this.known.keys().next().value!);
  }
}
