import { Client } from 'pg';
import type { DataSource } from 'typeorm';
import { type DatabaseConfig, DEFAULT_POOL_MAX } from './database.config.js';
import { migrate, type MigrationClass, type Prepare } from './migrate.js';
import { openPool } from './pool/index.js';
import { ensureAppRole } from './roles.js';
import { assertTenancyEnforced } from './tenancy-check.js';

export interface DatabaseConnection {
  /** As the restricted application role. */
  source: DataSource;
  appUrl: string;
  migrated: string[];
}

/**
 * Migrates as the owner, connects as the application role, and refuses to go on unless tenancy is enforced.
 *
 * @param prepare what else the owner does after migrating, such as using an extension that not every server offers
 */
export async function connectDatabase(
  ownerUrl: string,
  config: DatabaseConfig,
  migrations: MigrationClass[],
  prepare?: Prepare,
): Promise<DatabaseConnection> {
  const migrated = await migrate(ownerUrl, migrations, prepare);
  const appUrl = config.appUrl ?? (await withClient(ownerUrl, (owner) => ensureAppRole(owner, ownerUrl)));
  await withClient(appUrl, assertTenancyEnforced);
  const source = await openPool(appUrl, config.poolMax ?? DEFAULT_POOL_MAX);
  return { source, appUrl, migrated };
}

export async function withClient<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url, application_name: 'navigator' });
  // A lost connection rejects the query that runs; the event beside it would end the process.
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
