import { type DynamicModule, Module } from '@nestjs/common';
import { CACHE_MANAGER, CacheModule as NestCacheModule } from '@nestjs/cache-manager';
import { type Cache, createCache } from 'cache-manager';
import type { CacheConfig } from './cache.config.js';
import { type NamedCacheOptions, SafeCache } from './safe-cache.js';
import { memoryTier, Tiers } from './tiers.js';

/** Gives out named caches on the same tiers. */
export class Caches {
  private readonly tiers: Tiers;

  constructor(cache: Pick<Cache, 'stores' | 'set' | 'del'>) {
    this.tiers = new Tiers(cache);
  }

  /** Without a shared tier, for tools and tests. */
  static inMemory(bounds = { maxEntries: 1_000, maxBytes: 2 ** 24 }): Caches {
    return new Caches(createCache({ stores: [memoryTier(bounds)] }));
  }

  named<V>(name: string, options: NamedCacheOptions<V>): SafeCache<V> {
    return new SafeCache<V>(name, this.tiers, options);
  }
}

/** The cache of the process: in memory and bounded. */
@Module({})
export class CacheModule {
  static register({ maxEntries, maxMb }: CacheConfig): DynamicModule {
    const stores = [memoryTier({ maxEntries, maxBytes: maxMb * 2 ** 20 })];
    return {
      module: CacheModule,
      global: true,
      imports: [NestCacheModule.register({ stores })],
      providers: [
        { provide: Caches, useFactory: (cache: Cache) => new Caches(cache), inject: [CACHE_MANAGER] },
      ],
      exports: [Caches],
    };
  }
}
