import type { PolicyOptions } from '#libs/resilience';
import { DEFAULT_POOL_MAX } from './database.config.js';

/** How the database is asked. Only reads are retried: a write whose answer was lost may have been done. */
export function databasePolicy(poolMax = DEFAULT_POOL_MAX): PolicyOptions {
  return {
    // Statements and connections have limits of their own, far below; the longest is that of a job's stage.
    attemptTimeoutMs: 130_000,
    retry: { retries: 2, baseMs: 50, maxMs: 500 },
    // It comes back by itself and soon, and is asked each second whether it has. Without it there is little else to do,
    // so it is not left alone for long; and the pool is small enough to be used at once.
    breaker: { failuresInARow: 8, openMs: 1_000, maxOpenMs: 5_000, slowStartMs: 0, probeTimeoutMs: 3_000 },
    bulkhead: {
      concurrency: poolMax,
      queue: 1_000,
      maxWaitMs: 250,
      backgroundMaxWaitMs: 30_000,
      // Of a small pool none, or nobody else would get anything.
      reserved: poolMax >= 6 ? 2 : 0,
      adaptive: { min: Math.min(2, poolMax) },
    },
  };
}
