export { BoundedMap } from './bounded-map.js';
export { Caches, CacheModule } from './cache.module.js';
export { cacheSection, type CacheConfig } from './cache.config.js';
export { SafeCache, type NamedCacheOptions } from './safe-cache.js';
export { RedisConnection } from './shared/redis-connection.js';
