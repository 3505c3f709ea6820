export { auditSection, type AuditConfig } from './audit.config.js';
export { AuditModule, auditPaths } from './audit.module.js';
export { AuditInterceptor } from './audit.interceptor.js';
export { AuditLog } from './audit-log.js';
export { AuditSpool } from './audit-spool.js';
export { AuditUnavailable, EventNotSealed } from './audit.errors.js';
export {
  Audited,
  auditedActOf,
  isReadOnly,
  ReadOnly,
  Unaudited,
  unauditedReasonOf,
  type AuditedAct,
} from './audited.decorator.js';
export {
  auditActor,
  auditAgain,
  auditDetail,
  auditPersonal,
  type AuditAddition,
  type PendingAudit,
} from './pending-audit.js';
export {
  type Hold,
  HOLD_SCOPES,
  HoldNotFound,
  type HoldQuestion,
  type HoldScope,
  LegalHoldInForce,
  LegalHolds,
  PersonalData,
  type PersonalDatum,
  ReleaseNeedsAnother,
  ReleaseNotAsked,
  refuseUnder,
} from './keeping/index.js';
export { canonicalId } from './audit-detail.js';
export { bodyOfColumns, type AuditColumns } from './event/audit-body.js';
export { canonicalJson, type JsonValue } from './event/canonical-json.js';
export {
  AuditKeys,
  AuditKeysUnusable,
  decodeVerifier,
  encodeVerifier,
  openNote,
  signNote,
} from './notes/index.js';
export {
  listCheckpoints,
  proveConsistency,
  proveEvent,
  proveTreeConsistency,
  type ConsistencyProof,
  type EventProof,
  type TreeConsistencyProof,
} from './proof/proof.store.js';
export { AuditRetention, listRetirements, type Retirement } from './retention/index.js';
export {
  FileAnchor,
  Sealer,
  type Anchor,
  type SealerOptions,
  type StoredCheckpoint,
} from './sealing/index.js';
export {
  type AnchoredCheckpoint,
  type ArchiveRecord,
  ArchiveUnreadable,
  ArchiveVerifier,
  EXIT_CODES,
  readArchive,
  type Verdict,
} from './verify/index.js';
export { findAuditEvent, listAudit, type AuditEvent } from './audit.store.js';
export {
  type AuditFilter,
  type AuditLine,
  type AuditQuery,
  auditSnapshot,
  countSealed,
  type EventPosition,
  readAuditLines,
  tailAudit,
} from './query/index.js';
export {
  INSTALLATION,
  systemActor,
  type AuditActor,
  type AuditCategory,
  type AuditDetail,
  type AuditOutcome,
  type AuditRecord,
  type AuditTarget,
} from './audit-record.js';
