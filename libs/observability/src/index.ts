export { counter, DURATION_BUCKETS, gauge, histogram } from './metrics.js';
export { createLogger, NestLogger, type LoggerOptions } from './logger.js';
export { currentContext, newContext, runInContext, type RequestContext } from './request-context.js';
export {
  reportBug,
  startErrorReporting,
  stopErrorReporting,
  type ErrorReportingOptions,
} from './error-reporting.js';
