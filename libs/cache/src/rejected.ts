import { Logger } from '@nestjs/common';
import { counter } from '#libs/observability';

/**
 * Why a value that was found is not used: `damaged` (not what we write: cut off, another type), `version` (another
 * format), `forged` (not signed by this installation for this key), `owner` (another cache's or tenant's), `shape`.
 */
export type Rejection = 'damaged' | 'version' | 'forged' | 'owner' | 'shape';

const rejections = counter({
  name: 'navigator_cache_rejected_total',
  help: 'Values that were found in a cache, not believed and deleted',
  labelNames: ['cache', 'reason'],
});
const logger = new Logger('cache');
const warned = new Set<string>();

/** Counts it, and warns once for each cache and reason: a flood of bad values must not flood the log. */
export function rejected(cache: string, reason: Rejection): void {
  rejections.inc({ cache, reason });
  if (warned.has(`${cache} ${reason}`)) return;
  warned.add(`${cache} ${reason}`);
  logger.warn(
    { cache, reason },
    'a value in the cache was not believed and is deleted; more are only counted',
  );
}
