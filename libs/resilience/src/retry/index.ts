export { isNoRetryUpstream, markNoRetryUpstream } from './no-retry-upstream.js';
export { RetryStrategy } from './retry-strategy.js';
