import { join } from 'node:path';
import { type DynamicModule, Module } from '@nestjs/common';
import { CACHE_MANAGER, CacheModule as NestCacheModule } from '@nestjs/cache-manager';
import { type Cache, createCache } from 'cache-manager';
import { PolicyRegistry } from '#libs/resilience';
import type { CacheConfig } from './cache.config.js';
import { entryKey } from './entry.js';
import { type NamedCacheOptions, SafeCache } from './safe-cache.js';
import type { RedisConnection } from './shared/redis-connection.js';
import { sharedTier } from './shared/shared-tier.js';
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

  /**
   * Forgets what these caches keep of a tenant. The memory of other processes forgets it when it expires.
   *
   * @throws when the shared tier cannot be asked
   */
  async forgetTenant(tenantId: string, names: readonly string[]): Promise<void> {
    for (const name of names) await this.tiers.removeAll(entryKey(name, tenantId, ''));
  }

  /** @param random spreads the ends of what is kept */
  named<V>(name: string, options: NamedCacheOptions<V>, random = Math.random): SafeCache<V> {
    return new SafeCache<V>(name, this.tiers, options, random);
  }
}

/**
 * The cache of the process: in memory and, where there is a connection, in a Redis that all processes share. It needs
 * the policy `cache` and, from the outside, `DATA_DIR`.
 */
@Module({})
export class CacheModule {
  static register({ maxEntries, maxMb }: CacheConfig, connection?: RedisConnection): DynamicModule {
    const memory = memoryTier({ maxEntries, maxBytes: maxMb * 2 ** 20 });
    const tiers = NestCacheModule.registerAsync({
      inject: ['DATA_DIR', PolicyRegistry],
      useFactory: async (dataDir: string, policies: PolicyRegistry) => {
        if (!connection) return { stores: [memory] };
        const shared = await sharedTier(connection, policies.policy('cache'), join(dataDir, 'secrets'));
        return { stores: [memory, shared] };
      },
    });
    return {
      module: CacheModule,
      global: true,
      imports: [tiers],
      providers: [
        { provide: Caches, useFactory: (cache: Cache) => new Caches(cache), inject: [CACHE_MANAGER] },
      ],
      exports: [Caches],
    };
  }
}
