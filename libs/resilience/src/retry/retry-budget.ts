import { TimeWindow } from '../circuit-breaker/index.js';
import { LruMap } from '../lru-map.js';
import type { RetryOptions } from '../options.js';

const WINDOW_MS = 10_000;
const MAX_TENANTS = 1_000;
/** Of all tenants together, so that many who each keep to their own share cannot sink a dependency together. */
const TOTAL_RATIO_FACTOR = 2;

/**
 * Retries are a share of the calls of the last 10 s and a few besides, for each tenant and for all together. Without it
 * retries multiply the load of a dependency just when it can bear the least.
 */
export class RetryBudget {
  /** Calls, and as failures the retries. */
  private readonly tenants = new LruMap<TimeWindow>(MAX_TENANTS);
  private readonly total = new TimeWindow(WINDOW_MS);

  constructor(private options: Pick<RetryOptions, 'budgetRatio' | 'budgetPerSecond'>) {}

  /** To be told of every call that might be retried. */
  noteCall(tenantId: string, now: number): void {
    this.tenant(tenantId).record(now, false, false);
    this.total.record(now, false, false);
  }

  /** Takes one retry out of the budget. @returns false when there is none left */
  spend(tenantId: string, now: number): boolean {
    const { budgetRatio } = this.options;
    const tenant = this.tenant(tenantId);
    if (this.left(tenant, budgetRatio, now) < 1 || this.remaining(now) < 1) return false;
    tenant.record(now, true, false);
    this.total.record(now, true, false);
    return true;
  }

  /** Retries that all tenants together may make now. */
  remaining(now: number): number {
    return this.left(this.total, this.options.budgetRatio * TOTAL_RATIO_FACTOR, now);
  }

  reset(): void {
    this.tenants.clear();
    this.total.clear();
  }

  update(options: Pick<RetryOptions, 'budgetRatio' | 'budgetPerSecond'>): void {
    this.options = options;
  }

  private left(window: TimeWindow, ratio: number, now: number): number {
    const { calls, failures: retries } = window.counts(now);
    const allowed = ratio * (calls - retries) + (this.options.budgetPerSecond * WINDOW_MS) / 1_000;
    return Math.max(0, Math.floor(allowed) - retries);
  }

  private tenant(id: string): TimeWindow {
    let window = this.tenants.get(id);
    if (!window) this.tenants.set(id, (window = new TimeWindow(WINDOW_MS)));
    return window;
  }
}
