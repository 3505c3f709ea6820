export { ClientLeft, ClientSignal, clientSignal, MAX_DEADLINE_MS } from './client-signal.js';
export {
  Priority,
  RateClass,
  SecretResponse,
  type PriorityName,
  type RateClassName,
} from './declarations.js';
export { endWaitingStreams, openEventStream, type EventStream } from './event-stream.js';
export { rateSection, type RateConfig } from './http.config.js';
export { InvalidCursor, ValidationFailed } from './http.errors.js';
export { IdempotencyInterceptor } from './idempotency.interceptor.js';
export { networkOf } from './network.js';
export { cursorQuery, decodeCursor, encodeCursor, page, pageOf, type Page } from './pagination.js';
export { ProblemFilter, sendProblem } from './problem.filter.js';
export { registerRequestHooks } from './request.hooks.js';
export { ServiceLevelInterceptor, setServiceHeaders } from './service-level.interceptor.js';
export { RateLimitGuard, throttlerOptions } from './throttling.js';
