export { QuotaGuard, throttlerOptions } from './quota.guard.js';
export { Quotas, type Arrival, type QuotaOwner, type QuotaSurroundings, type UsedUp } from './quotas.js';
export type { QuotaStore } from './quota-store.js';
export { setRateLimitHeaders } from './rate-limit-headers.js';
export { RedisQuotaStore } from './redis-quota-store.js';
export { settleQuota } from './settlement.js';
