import type { Pool } from 'pg';
import type { DataSource, QueryRunner } from 'typeorm';
import { Overloaded } from '#libs/errors';
import { poolOf } from './open-pool.js';
import type { PooledClient } from './pooled-client.js';
import { TOO_MANY_CONNECTIONS } from './sql-states.js';

export interface Lease {
  runner: QueryRunner;
  client: PooledClient;
}

export interface LeaseOptions {
  signal?: AbortSignal;
  /** While every connection of the pool is in use. Making a new one has a limit of its own. */
  waitMs: number;
}

/** For so long no further connection is tried for after the server had none left. */
const MAKE_DO_MS = 5_000;
const ATTEMPTS = 3;
const sizes = new WeakMap<Pool, number>();

/**
 * A connection of the pool, to be given back by `runner.release()`.
 *
 * @throws Overloaded when none became free in time, the signal's reason, and what connecting fails with
 */
export async function lease(source: DataSource, options: LeaseOptions, attempt = 1): Promise<Lease> {
  const pool = poolOf(source);
  const isFull = pool.idleCount === 0 && pool.totalCount >= pool.options.max;
  const runner = source.createQueryRunner();
  const connecting = runner.connect() as Promise<PooledClient>;
  try {
    const client = await within(connecting, options.signal, isFull ? options.waitMs : undefined);
    return { runner, client };
  } catch (error) {
    // It may come yet; then nobody is there to take it.
    connecting.then(
      () => runner.release(),
      () => undefined,
    );
    if ((error as { code?: unknown }).code !== TOO_MANY_CONNECTIONS) throw error;
    if (attempt === ATTEMPTS || !makeDo(pool)) throw error;
    return lease(source, options, attempt + 1);
  }
}

/** @param failure makes the pool drop the connection */
export function giveBack(runner: QueryRunner, failure?: Error): Promise<void> {
  type Undeclared = { releasePostgresConnection(error?: Error): Promise<void> };
  return (runner as unknown as Undeclared).releasePostgresConnection(failure);
}

/** The server has no connection left for us: callers wait for those that we have. False when we have none. */
function makeDo(pool: Pool): boolean {
  if (pool.totalCount === 0) return false;
  const size = sizes.get(pool) ?? pool.options.max;
  sizes.set(pool, size);
  pool.options.max = Math.min(pool.options.max, pool.totalCount);
  setTimeout(() => (pool.options.max = size), MAKE_DO_MS).unref();
  return true;
}

async function within<T>(work: Promise<T>, signal?: AbortSignal, limitMs?: number): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const leave = () => reject(signal!.reason);
  signal?.throwIfAborted();
  signal?.addEventListener('abort', leave, { once: true });
  const late = () => reject(new Overloaded('every connection is in use'));
  const timer = limitMs === undefined ? undefined : setTimeout(late, limitMs);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', leave);
  }
}
