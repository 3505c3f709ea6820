import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DataSource } from 'typeorm';
import {
  ensureAppRole,
  migrate,
  openPool,
  startEmbeddedPostgres,
  TenantDb,
  withClient,
} from '#libs/database';
import { migrations } from '#migrations';

export interface Reader {
  tenantId: string;
  userId: string;
}

export interface TemporaryDatabase {
  /** As the application role, under row-level security. */
  tenantDb: TenantDb;
  source: DataSource;
  addTenant(): Promise<Reader>;
  /** What autovacuum does after a while. */
  vacuum(): Promise<void>;
  close(): Promise<void>;
}

/** An embedded PostgreSQL of its own with the schema of the product and its settings, but no wish to survive a crash. */
export async function startTemporaryDatabase(): Promise<TemporaryDatabase> {
  const folder = await mkdtemp(join(tmpdir(), 'navigator-bench-'));
  const server = await startEmbeddedPostgres({
    dataDir: folder,
    settings: { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', max_wal_size: '4GB' },
  });
  await migrate(server.url, migrations);
  const source = await openPool(await withClient(server.url, (owner) => ensureAppRole(owner, server.url)), 8);
  const asOwner = (sql: string, parameters: unknown[] = []) =>
    withClient(server.url, (owner) => owner.query(sql, parameters));
  const close = async () => {
    for (const signal of SIGNALS) process.off(signal, onSignal);
    await source.destroy();
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  };
  // The server does not end with this process.
  const onSignal = () => void close().finally(() => process.exit(130));
  for (const signal of SIGNALS) process.once(signal, onSignal);
  return {
    tenantDb: new TenantDb(source, 300_000, { execute: (call) => call(new AbortController().signal) }),
    source,
    async addTenant() {
      const [tenantId, userId] = [randomUUID(), randomUUID()];
      await asOwner(`insert into tenant (tenant_id, name) values ($1, $2)`, [tenantId, `t-${tenantId}`]);
      await asOwner(
        `insert into app_user (tenant_id, id, email, password_hash, role) values ($1, $2, $3, 'none', 'member')`,
        [tenantId, userId, `${userId}@example.com`],
      );
      return { tenantId, userId };
    },
    vacuum: async () => void (await asOwner('vacuum analyze')),
    close,
  };
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
