export {
  reportBug,
  startErrorReporting,
  stopErrorReporting,
  type ErrorReportingOptions,
} from './error-reporting.js';
export { createLogger, NestLogger, type LoggerOptions } from './logger.js';
export { metricsModule, MetricsControllerBase } from './metrics.module.js';
export { counter, DURATION_BUCKETS, gauge, histogram, sumOfMetric } from './metrics.js';
export { currentContext, newContext, runInContext, type RequestContext } from './request-context.js';
