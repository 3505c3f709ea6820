import { Logger } from '@nestjs/common';
import type { ZodType } from 'zod';
import { counter } from '#libs/observability';
import { type Entry, entryKey, INSTALLATION } from './entry.js';
import { rejected } from './rejected.js';
import type { Tiers } from './tiers.js';

const lookups = counter({
  name: 'navigator_cache_lookups_total',
  help: 'Look-ups by cache and result (hit, stale, miss, error); an error counts as a miss for the caller',
  labelNames: ['cache', 'result'],
});
const logger = new Logger('cache');

export interface NamedCacheOptions<V> {
  /** How long a value is fresh; give or take a tenth, so that what was kept together does not end together. */
  ttlSeconds: number;
  /** For so long after that `wrap` still gives it out, while it has a new one made. Unless given, not at all. */
  staleSeconds?: number;
  /** What every value must be; one that is not is deleted and counts as a miss. */
  schema: ZodType<V>;
}

export interface WrapOptions {
  /** Ends the waiting of this caller; what is being made is given up when nobody waits for it any more. */
  signal?: AbortSignal;
}

/**
 * A part of the cache under a name of its own, for one tenant or for the whole installation. A failing cache is a
 * miss and never an error.
 */
export class SafeCache<V> {
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

  /** A fresh value, or undefined. */
  async get(key: string): Promise<V | undefined> {
    const found = await this.find(this.idOf(key));
    const value = found && !isStale(found.entry) ? found.value : undefined;
    this.count(value === undefined ? 'miss' : 'hit');
    return value;
  }

  async set(key: string, value: V): Promise<void> {
    await this.put(this.idOf(key), value);
  }

  async delete(key: string): Promise<void> {
    await this.remove(this.idOf(key));
  }

  /**
   * The value, loaded where there is none. However many ask for a key at the same time, this process loads it once; a
   * stale value is given out at once and loaded anew behind it.
   *
   * @throws what `load` throws, to all who wait for it, and nothing is kept; the signal's reason
   */
  async wrap(
    key: string,
    load: (signal: AbortSignal) => Promise<V>,
    { signal }: WrapOptions = {},
  ): Promise<V> {
    const id = this.idOf(key);
    const loadAnew = async (abandoned: AbortSignal) => {
      const value = await load(abandoned);
      await this.put(id, value);
      return value;
    };
    // They share the looking too: two hundred at once are no reason to ask a far tier two hundred times.
    const findOrLoad = async (abandoned: AbortSignal) => {
      const found = await this.find(id);
      this.count(!found ? 'miss' : isStale(found.entry) ? 'stale' : 'hit');
      if (!found) return loadAnew(abandoned);
      if (isStale(found.entry)) this.refresh(id, loadAnew);
      return found.value;
    };
    return this.tiers.loads.run(id, findOrLoad, signal) as Promise<V>;
  }

  /** Nobody waits for it, and so nobody's leaving ends it. */
  private refresh(id: string, load: (abandoned: AbortSignal) => Promise<V>): void {
    this.tiers.loads
      .run(`refresh ${id}`, load)
      .catch((error: unknown) => this.failed(error, 'a stale value could not be loaded anew'));
  }

  private async put(id: string, value: V): Promise<void> {
    const { ttlSeconds, staleSeconds = 0 } = this.options;
    const writtenAt = Date.now();
    const freshMs = ttlSeconds * 1_000 * (0.9 + 0.2 * this.random());
    const entry: Entry = { writtenAt, freshUntil: writtenAt + freshMs, json: JSON.stringify(value) };
    try {
      await this.tiers.put(id, entry, freshMs + staleSeconds * 1_000);
    } catch (error) {
      this.failed(error);
    }
  }

  private async remove(id: string): Promise<void> {
    try {
      await this.tiers.remove(id);
    } catch (error) {
      this.failed(error);
    }
  }

  private async find(id: string): Promise<{ entry: Entry; value: V } | undefined> {
    try {
      const entry = await this.tiers.find(id);
      if (!entry) return undefined;
      const parsed = this.options.schema.safeParse(JSON.parse(entry.json));
      if (parsed.success) return { entry, value: parsed.data };
      rejected(this.name, 'shape');
      await this.remove(id);
    } catch (error) {
      this.failed(error);
    }
    return undefined;
  }

  private idOf(key: string): string {
    return entryKey(this.name, this.tenantId, key);
  }

  private count(result: 'hit' | 'stale' | 'miss' | 'error'): void {
    lookups.inc({ cache: this.name, result });
  }

  private failed(error: unknown, what = 'the cache failed and counts as a miss'): void {
    this.count('error');
    logger.warn({ cache: this.name, reason: (error as Error).name }, what);
  }
}

const isStale = ({ freshUntil }: Entry) => Date.now() >= freshUntil;
