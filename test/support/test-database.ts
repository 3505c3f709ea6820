import { randomUUID } from 'node:crypto';
import pg from 'pg';
import type { DataSource } from 'typeorm';
import { ensureAppRole, openPool, TenantDb, withClient } from '#libs/database';
import type { Policy } from '#libs/resilience';

export interface TestDatabase {
  tenantDb: TenantDb;
  source: DataSource;
  /** As the owner, past row-level security only where a test needs to look behind it (the owner is a superuser). */
  owner: pg.Pool;
  url: string;
  appUrl: string;
  createTenant(): Promise<{ tenantId: string; userId: string }>;
  close(): Promise<void>;
}

/** Just calls: for tests of what stands below the policy. */
export const withoutPolicy: Pick<Policy, 'execute'> = {
  execute: (call, { signal } = {}) => call(signal ?? new AbortController().signal),
};

/** A database of its own for one test file, cloned from the migrated template of the test server. */
export async function testDatabase(): Promise<TestDatabase> {
  const serverUrl = process.env.TEST_POSTGRES_URL;
  if (!serverUrl) throw new Error('TEST_POSTGRES_URL is not set: run this through the integration project');
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await withClient(serverUrl, (server) =>
    server.query(`create database ${name} template navigator_template`),
  );

  const url = Object.assign(new URL(serverUrl), { pathname: `/${name}` }).href;
  const appUrl = await withClient(url, (owner) => ensureAppRole(owner, url));
  const source = await openPool(appUrl, 10);
  const owner = new pg.Pool({ connectionString: url, max: 4 });

  return {
    tenantDb: new TenantDb(source, 30_000, withoutPolicy),
    source,
    owner,
    url,
    appUrl,
    async createTenant() {
      const tenantId = randomUUID();
      const userId = randomUUID();
      await owner.query(`insert into tenant (tenant_id, name) values ($1, $2)`, [tenantId, `t-${tenantId}`]);
      await owner.query(
        `insert into app_user (tenant_id, id, email, password_hash, role) values ($1, $2, $3, 'none', 'admin')`,
        [tenantId, userId, `${userId}@example.com`],
      );
      return { tenantId, userId };
    },
    async close() {
      await source.destroy();
      await owner.end();
      await withClient(serverUrl, async (server) => {
        // A pool has ended before its connections have: this waits for them (up to 5 s), and force would break them.
        const drop = `drop database if exists ${name}`;
        await server.query(drop).catch(() => server.query(`${drop} with (force)`));
        await server.query(`drop role if exists "${name}_login", "${name}_sealing"`);
      });
    },
  };
}
