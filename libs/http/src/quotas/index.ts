export { QuotaGuard, throttlerOptions } from './quota.guard.js';
export { Quotas, type Arrival } from './quotas.js';
