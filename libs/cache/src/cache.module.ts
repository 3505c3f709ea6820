import { type DynamicModule, Module } from '@nestjs/common';
import { CACHE_MANAGER, CacheModule as NestCacheModule } from '@nestjs/cache-manager';
import type { Cache } from 'cache-manager';
import { Keyv } from 'keyv';
import { BoundedMap } from './bounded-map.js';
import type { CacheConfig } from './cache.config.js';
import { SafeCache } from './safe-cache.js';

/** Gives out named caches on one store. */
export class Caches {
  constructor(private readonly cache: Cache) {}

  named<V>(name: string, ttlSeconds: number): SafeCache<V> {
    return new SafeCache<V>(name, this.cache, ttlSeconds);
  }
}

/** The cache of the process: in memory and bounded. A shared tier takes its place in `stores`. */
@Module({})
export class CacheModule {
  static register({ maxEntries }: CacheConfig): DynamicModule {
    const memory = new Keyv({ store: new BoundedMap(maxEntries), useKeyPrefix: false });
    return {
      module: CacheModule,
      global: true,
      imports: [NestCacheModule.register({ stores: [memory] })],
      providers: [
        { provide: Caches, useFactory: (cache: Cache) => new Caches(cache), inject: [CACHE_MANAGER] },
      ],
      exports: [Caches],
    };
  }
}
