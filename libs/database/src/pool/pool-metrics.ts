import type { Pool } from 'pg';
import type { DataSource } from 'typeorm';
import { gauge } from '#libs/observability';
import { poolOf } from './open-pool.js';

let observed: DataSource | undefined;

gauge({
  name: 'navigator_database_connections',
  help: 'Connections of the pool by state; waiting are callers without one',
  labelNames: ['state'],
  collect() {
    this.reset();
    // A source that was closed has none any more.
    const pool: Pool | undefined = observed && poolOf(observed);
    if (!pool) return;
    this.set({ state: 'open' }, pool.totalCount);
    this.set({ state: 'idle' }, pool.idleCount);
    this.set({ state: 'waiting' }, pool.waitingCount);
  },
});

/** From now on the gauge shows this pool, at each scrape. */
export function observePool(source: DataSource): void {
  observed = source;
}
