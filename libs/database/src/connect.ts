import { Client } from 'pg';
import type { DataSource } from 'typeorm';
import { type DatabaseConfig, DEFAULT_POOL_MAX } from './database.config.js';
import { migrate, type MigrationClass, type Prepare } from './migrate.js';
import { openPool } from './pool/index.js';
import { APP_GROUP, ensureAppRole, ensureSealerRole } from './roles.js';
import { assertTenancyEnforced } from './tenancy-check.js';

export interface DatabaseConnection {
  /** As the restricted application role. */
  source: DataSource;
  appUrl: string;
  migrated: string[];
}

/** One transaction seals or signs, one may retire old events meanwhile. */
const SEALER_POOL = 2;

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

/**
 * Connects as the role that writes the trees and checkpoints of the audit log and hardly anything else. For the processes
 * that seal, after `connectDatabase`, which migrates.
 *
 * @throws InsufficientDatabaseRights when the role is neither given nor can be made
 * @throws TenancyNotEnforced when it may do more than it should
 */
export async function connectSealer(
  ownerUrl: string,
  { sealerUrl }: Pick<DatabaseConfig, 'sealerUrl'>,
): Promise<DataSource> {
  const url = sealerUrl ?? (await withClient(ownerUrl, (owner) => ensureSealerRole(owner, ownerUrl)));
  await withClient(url, (sealer) => assertTenancyEnforced(sealer, APP_GROUP));
  return openPool(url, SEALER_POOL);
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
