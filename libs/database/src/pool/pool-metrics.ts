import type { DataSource } from 'typeorm';
import { gauge } from '#libs/observability';
import { poolOf } from './open-pool.js';

/** How the pool stands, read at each scrape. */
export function observePool(source: DataSource): void {
  const connections = gauge({
    name: 'navigator_database_connections',
    help: 'Connections of the pool by state; waiting are callers without one',
    labelNames: ['state'],
    collect() {
      const pool = poolOf(source);
      this.set({ state: 'open' }, pool.totalCount);
      this.set({ state: 'idle' }, pool.idleCount);
      this.set({ state: 'waiting' }, pool.waitingCount);
    },
  });
  connections.reset();
}
