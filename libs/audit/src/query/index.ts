export type { AuditFilter, AuditQuery, EventPosition } from './audit-query.js';
export {
  type AuditLine,
  auditSnapshot,
  countSealed,
  MOMENT,
  readAuditLines,
  tailAudit,
} from './audit-reading.js';
export { selectEvents } from './event-paths.js';
