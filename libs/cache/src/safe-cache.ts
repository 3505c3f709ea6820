import { Logger } from '@nestjs/common';
import type { ZodType } from 'zod';
import { counter } from '#libs/observability';
import { type Entry, entryKey, INSTALLATION } from './entry.js';
import { rejected } from './rejected.js';
import type { Tiers } from './tiers.js';

const lookups = counter({
  name: 'navigator_cache_lookups_total',
  help: 'Look-ups by cache and result; an error counts as a miss for the caller',
  labelNames: ['cache', 'result'],
});

export interface NamedCacheOptions<V> {
  /** How long a value is fresh; give or take a tenth, so that what was kept together does not end together. */
  ttlSeconds: number;
  /** What every value must be; one that is not is deleted and counts as a miss. */
  schema: ZodType<V>;
}

/**
 * A part of the cache under a name of its own, for one tenant or for the whole installation. A failing cache is a
 * miss and never an error.
 */
export class SafeCache<V> {
  private static readonly logger = new Logger(SafeCache.name);

  constructor(
    private readonly name: string,
    private readonly tiers: Tiers,
    private readonly options: NamedCacheOptions<V>,
    private readonly random: () => number = Math.random,
    private readonly tenantId: string = INSTALLATION,
  ) {}

  /** The same cache with the keys of one tenant. */
  forTenant(tenantId: string): SafeCache<V> {
    return new SafeCache(this.name, this.tiers, this.options, this.random, tenantId);
  }

  async get(key: string): Promise<V | undefined> {
    const id = this.idOf(key);
    const entry = await this.find(id);
    const value = entry && Date.now() < entry.freshUntil ? await this.valueOf(id, entry) : undefined;
    lookups.inc({ cache: this.name, result: value === undefined ? 'miss' : 'hit' });
    return value;
  }

  async set(key: string, value: V): Promise<void> {
    const now = Date.now();
    const freshMs = this.options.ttlSeconds * 1_000 * (0.9 + 0.2 * this.random());
    const entry = { writtenAt: now, freshUntil: now + freshMs, json: JSON.stringify(value) };
    await this.tiers.put(this.idOf(key), entry, freshMs).catch((error: unknown) => this.failed(error));
  }

  async delete(key: string): Promise<void> {
    await this.tiers.remove(this.idOf(key)).catch((error: unknown) => this.failed(error));
  }

  private async find(id: string): Promise<Entry | undefined> {
    try {
      return await this.tiers.find(id);
    } catch (error) {
      this.failed(error);
      return undefined;
    }
  }

  private async valueOf(id: string, { json }: Entry): Promise<V | undefined> {
    if (json === undefined) return undefined;
    const parsed = this.options.schema.safeParse(JSON.parse(json));
    if (parsed.success) return parsed.data;
    rejected(this.name, 'shape');
    await this.tiers.remove(id).catch((error: unknown) => this.failed(error));
    return undefined;
  }

  private idOf(key: string): string {
    return entryKey(this.name, this.tenantId, key);
  }

  private failed(error: unknown): void {
    lookups.inc({ cache: this.name, result: 'error' });
    SafeCache.logger.warn(
      { cache: this.name, reason: (error as Error).name },
      'the cache failed and counts as a miss',
    );
  }
}
