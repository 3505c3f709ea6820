import type { Redis } from 'ioredis';
import type { Policy } from '#libs/resilience';
import { cacheOf } from '../entry.js';
import type { Kept } from '../memory-store.js';
import { rejected, type Rejection } from '../rejected.js';
import { CommandRefused, type RedisConnection } from './redis-connection.js';
import type { Seal } from './seal.js';

/** Longer values stay in memory: they would hold up everything else on the connection. */
const MAX_LENGTH = 256 * 1_024;
const TRIAL_EVERY_MS = 500;
/** Keys that the server looks at for one command. */
const SCANNED = 1_000;

/**
 * The tier that processes share, as a store for Keyv. Nothing here throws: what cannot be had is a miss, what cannot be
 * written is left out. Reading waits no longer than the policy says, writing not at all.
 */
export class RedisStore {
  private readonly writes = new Set<Promise<void>>();
  private watching?: NodeJS.Timeout;

  constructor(
    private readonly connection: RedisConnection,
    private readonly policy: Pick<Policy, 'execute' | 'state'>,
    private readonly seal: Seal,
  ) {
    // The circuit is to open when the server goes, not when it is missed.
    connection.onLost(() => void this.ping());
  }

  async get(key: string): Promise<Kept | undefined> {
    try {
      const sealed = await this.run('get', (redis) => redis.get(key));
      if (sealed === null) return undefined;
      const opened = this.seal.open(key, sealed);
      if (typeof opened === 'object') return opened;
      this.reject(key, opened);
    } catch (error) {
      if (error instanceof CommandRefused && error.code === 'WRONGTYPE') this.reject(key, 'damaged');
    }
    return undefined;
  }

  set(key: string, kept: Kept, ttlMs: number): void {
    const sealed = this.seal.seal(key, kept);
    if (sealed.length > MAX_LENGTH) return this.delete(key);
    this.write((redis) => redis.set(key, sealed, 'PX', Math.max(1, Math.ceil(ttlMs))));
  }

  delete(key: string): void {
    this.write((redis) => redis.unlink(key));
  }

  /** All entries whose keys begin so. @throws what the server does: unlike a value that is missed, one that stays matters */
  async deleteAll(prefix: string): Promise<void> {
    const pattern = `${prefix.replaceAll(/[*?[\]\\]/g, '\\$&')}*`;
    for (let cursor = '0', isDone = false; !isDone; isDone = cursor === '0') {
      const [next, keys] = await this.run('scan', (redis) =>
        redis.scan(cursor, 'MATCH', pattern, 'COUNT', SCANNED),
      );
      if (keys.length > 0) await this.run('delete', (redis) => redis.unlink(...keys));
      cursor = next;
    }
  }

  /** Keyv wants one. */
  clear(): never {
    throw new Error('The shared cache is never emptied: it may not be ours alone');
  }

  /** Keyv's word for: until what was to be written is written, or was given up. The connection stays. */
  async disconnect(): Promise<void> {
    while (this.writes.size > 0) await Promise.all(this.writes);
    this.stopWatching();
  }

  private reject(key: string, reason: Rejection): void {
    rejected(cacheOf(key), reason);
    this.delete(key);
  }

  private write(command: (redis: Redis) => Promise<unknown>): void {
    const write: Promise<void> = this.run('set', command)
      .then(
        () => undefined,
        () => undefined,
      )
      .finally(() => this.writes.delete(write));
    this.writes.add(write);
  }

  private async run<T>(operation: string, command: (redis: Redis) => Promise<T>): Promise<T> {
    try {
      return await this.policy.execute((signal) => this.connection.send(command, signal), { operation });
    } finally {
      if (this.policy.state !== 'closed') this.watch();
    }
  }

  /** Tries the circuit out until it closes: otherwise a reader would have to, and where nobody reads nobody would. */
  private watch(): void {
    this.watching ??= setInterval(() => {
      if (this.policy.state === 'closed') this.stopWatching();
      else void this.ping();
    }, TRIAL_EVERY_MS).unref();
  }

  private stopWatching(): void {
    clearInterval(this.watching);
    this.watching = undefined;
  }

  private async ping(): Promise<void> {
    const call = (signal: AbortSignal) => this.connection.ping(signal);
    await this.policy.execute(call, { operation: 'ping' }).catch(() => this.watch());
  }
}
