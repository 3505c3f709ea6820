/** A value as the tiers keep it, with the times (milliseconds since 1970) that its freshness is judged by. */
export interface Entry {
  writtenAt: number;
  /** After this it is stale: still there, and given out only where its owner said so. */
  freshUntil: number;
  /** The value as JSON, so that nobody can change what is kept. */
  json: string;
}

const PREFIX = 'navigator';
/** For what belongs to no tenant; no tenant has such an id. */
export const INSTALLATION = '-';

/** Where an entry lies in every tier: `navigator:answers:<tenant>:<key>`. */
export function entryKey(cache: string, tenantId: string, key: string): string {
  return `${PREFIX}:${cache}:${encodeURIComponent(tenantId)}:${key}`;
}

/** The cache and the tenant, as they are written in a key. */
export function ownerOf(entryKey: string): { cache: string; tenant: string } {
  const [, cache = '', tenant = ''] = entryKey.split(':', 3);
  return { cache, tenant };
}

/** The cache alone, for which this is quicker. */
export function cacheOf(entryKey: string): string {
  const start = PREFIX.length + 1;
  return entryKey.slice(start, entryKey.indexOf(':', start));
}
