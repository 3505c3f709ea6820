import type { Cache } from 'cache-manager';
import { Keyv } from 'keyv';
import { SingleFlight } from '#libs/resilience';
import type { Entry } from './entry.js';
import { type Kept, type MemoryBounds, MemoryStore } from './memory-store.js';

/**
 * The stores of cache-manager, nearest first: this process's memory and, where there is one, the store that processes
 * share. What is found in a far one is put into the nearer ones for the time that it has left. Stores do not throw.
 */
export class Tiers {
  /** What is being loaded, by the key that it will have here. */
  readonly loads = new SingleFlight<unknown>();

  constructor(private readonly cache: Pick<Cache, 'stores' | 'set' | 'del'>) {}

  async find(key: string): Promise<Entry | undefined> {
    const { stores } = this.cache;
    for (const [distance, store] of stores.entries()) {
      const kept = (await store.get<Entry>(key, { raw: true })) as Kept | undefined;
      if (!kept) continue;
      const timeLeft = kept.expires === undefined ? undefined : kept.expires - Date.now();
      for (const nearer of stores.slice(0, distance)) await nearer.set(key, kept.value, timeLeft);
      return kept.value;
    }
    return undefined;
  }

  async put(key: string, entry: Entry, ttlMs: number): Promise<void> {
    await this.cache.set(key, entry, ttlMs);
  }

  /** Every entry whose key begins so, in this process and in the store that processes share. @throws when that one cannot */
  async removeAll(prefix: string): Promise<void> {
    for (const { store } of this.cache.stores) await (store as ClearableStore).deleteAll(prefix);
  }

  async remove(key: string): Promise<void> {
    await this.cache.del(key);
  }
}

/** What both tiers are, besides what Keyv asks of them. */
interface ClearableStore {
  deleteAll(prefix: string): void | Promise<void>;
}

/** The first tier. Entries are kept as they are: they are never changed, and their values are text. */
export function memoryTier(bounds: MemoryBounds): Keyv {
  return plainKeyv(new MemoryStore(bounds));
}

/** Keyv with nothing of its own on the way: whole keys, no second JSON, no error that nobody listens for. */
export function plainKeyv(store: object): Keyv {
  const keyv = new Keyv({ store, useKeyPrefix: false, emitErrors: false });
  keyv.serialize = undefined;
  keyv.deserialize = undefined;
  return keyv;
}
