import { Logger } from '@nestjs/common';
import type { Cache } from 'cache-manager';
import { counter } from '#libs/observability';

const lookups = counter({
  name: 'navigator_cache_lookups_total',
  help: 'Look-ups by cache and result; an error counts as a miss for the caller',
  labelNames: ['cache', 'result'],
});

/** A named part of the cache. A failing cache is a miss and never an error. */
export class SafeCache<V> {
  private readonly logger = new Logger(SafeCache.name);

  constructor(
    private readonly name: string,
    private readonly cache: Cache,
    private readonly ttlSeconds: number,
  ) {}

  async get(key: string): Promise<V | undefined> {
    try {
      const value = await this.cache.get<V>(this.keyOf(key));
      lookups.inc({ cache: this.name, result: value === undefined || value === null ? 'miss' : 'hit' });
      return value ?? undefined;
    } catch (error) {
      this.failed(error);
      return undefined;
    }
  }

  async set(key: string, value: V): Promise<void> {
    try {
      await this.cache.set(this.keyOf(key), value, this.ttlSeconds * 1_000);
    } catch (error) {
      this.failed(error);
    }
  }

  private keyOf(key: string): string {
    return `${this.name}:${key}`;
  }

  private failed(error: unknown): void {
    lookups.inc({ cache: this.name, result: 'error' });
    this.logger.warn(
      { cache: this.name, reason: (error as Error).name },
      'the cache failed and counts as a miss',
    );
  }
}
