export { AuditRetention } from './audit-retention.js';
export { listRetirements, type Retirement } from './retention.store.js';
export { openTombstone, RETENTION, type Tombstone } from './tombstone.js';
