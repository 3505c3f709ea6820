import { BoundedMap } from './bounded-map.js';
import { cacheOf, type Entry } from './entry.js';

/** What Keyv keeps: `expires` in milliseconds since 1970. */
export interface Kept {
  value: Entry;
  expires?: number;
}

export interface MemoryBounds {
  /** Of each named cache. */
  maxEntries: number;
  maxBytes: number;
}

/** About what an entry takes besides its text: its key, times and places in maps. */
const ENTRY_BYTES = 300;

/** The tier in the process. Every named cache has room of its own, so that none can push out what others keep. */
export class MemoryStore {
  private readonly caches = new Map<string, BoundedMap<string, Kept>>();

  constructor(private readonly bounds: MemoryBounds) {}

  get(key: string): Kept | undefined {
    return this.roomOf(key).get(key);
  }

  set(key: string, kept: Kept): void {
    this.roomOf(key).set(key, kept);
  }

  delete(key: string): boolean {
    return this.roomOf(key).delete(key);
  }

  clear(): void {
    this.caches.clear();
  }

  /** All entries whose keys begin so. */
  deleteAll(prefix: string): void {
    const room = this.roomOf(prefix);
    for (const key of [...room.keys()]) if (key.startsWith(prefix)) room.delete(key);
  }

  private roomOf(key: string): BoundedMap<string, Kept> {
    const cache = cacheOf(key);
    let room = this.caches.get(cache);
    if (!room) {
      room = new BoundedMap(this.bounds.maxEntries, this.bounds.maxBytes, bytesOf);
      this.caches.set(cache, room);
    }
    return room;
  }
}

const bytesOf = ({ value }: Kept) => ENTRY_BYTES + 2 * value.json.length;
