export { ClientLeft, ClientSignal, clientSignal, MAX_DEADLINE_MS } from './client-signal.js';
export { rangeIn } from './content-range.js';
export { type Download, sendDownload, type WantedRange } from './download.js';
export { registerCrossOrigin } from './cross-origin.js';
export {
  Admission,
  AdmissionModule,
  type AdmissionModuleOptions,
  GateGuard,
  leaveGate,
  Pressure,
  registerAdmission,
  returnToGate,
} from './admission/index.js';
export {
  isWatcher,
  Priority,
  priorityOf,
  RateClass,
  type RateClassName,
  rateDeclarationOf,
  SecretResponse,
  Watcher,
} from './declarations.js';
export { endWaitingStreams, openEventStream, type EventStream } from './event-stream.js';
export { setRevalidation } from './revalidation.js';
export {
  admissionSection,
  type AdmissionConfig,
  type BrowserConfig,
  browserSection,
  rateSection,
  type RateConfig,
  streamSection,
  type StreamConfig,
} from './http.config.js';
export { IdempotentResponseNotKept, InvalidCursor, ValidationFailed } from './http.errors.js';
export { IdempotencyInterceptor } from './idempotency.interceptor.js';
export { networkOf } from './network.js';
export {
  AllowedAddresses,
  hostList,
  hostsIn,
  networkList,
  networksIn,
  openUrl,
  type OpenedUrl,
  type OpenUrlOptions,
  type Posted,
  postUrl,
} from './outbound/index.js';
export { registerEventStreams } from './open-streams.js';
export { cursorQuery, decodeCursor, encodeCursor, page, pageOf, type Page } from './pagination.js';
export { ProblemFilter, sendProblem } from './problem.filter.js';
export { registerQueryRules } from './query-rules.js';
export { registerTextRules } from './text-rules.js';
export { registerRequestHooks } from './request.hooks.js';
export { MinServiceLevel, ServiceLevelInterceptor } from './service-level.interceptor.js';
export {
  QuotaGuard,
  type QuotaOwner,
  Quotas,
  type QuotaStore,
  type QuotaSurroundings,
  RedisQuotaStore,
  settleQuota,
  throttlerOptions,
} from './quotas/index.js';
export { newResourceId } from './resource-id.js';
