import { DataSource, type MigrationInterface } from 'typeorm';
import { Client } from 'pg';
import { ensureGroups } from './roles.js';

export type MigrationClass = new () => MigrationInterface;
/** Runs under the same lock, after the migrations. */
export type Prepare = (owner: Client) => Promise<unknown>;

/** Any number; every replica must use the same one. */
const MIGRATION_LOCK = 7_214_001;
const OLDEST_SERVER = 150_000;

/**
 * Brings the schema up to date as its owner. Replicas that start together wait for one another on an advisory
 * lock, so that exactly one migrates. Returns the names of the migrations that were run.
 *
 * @throws DatabaseTooOld below PostgreSQL 15
 * @throws InsufficientDatabaseRights when the owner may not make the roles that the grants go to
 */
export async function migrate(
  ownerUrl: string,
  migrations: MigrationClass[],
  prepare?: Prepare,
): Promise<string[]> {
  const lock = new Client({ connectionString: ownerUrl, application_name: 'navigator-migrate' });
  await lock.connect();
  const source = migrationSource(ownerUrl, migrations);
  try {
    await assertServerVersion(lock);
    await lock.query('select pg_advisory_lock($1)', [MIGRATION_LOCK]);
    await ensureGroups(lock);
    await source.initialize();
    const done = await source.runMigrations({ transaction: 'each' });
    await prepare?.(lock);
    return done.map((migration) => migration.name);
  } finally {
    if (source.isInitialized) await source.destroy();
    await lock.end();
  }
}

/** Undoes all migrations, newest first; for tests of `down` and for taking an installation apart. */
export async function migrateDown(ownerUrl: string, migrations: MigrationClass[]): Promise<void> {
  const source = await migrationSource(ownerUrl, migrations).initialize();
  try {
    for (let i = 0; i < migrations.length; i++) await source.undoLastMigration({ transaction: 'each' });
  } finally {
    await source.destroy();
  }
}

export class DatabaseTooOld extends Error {
  constructor(version: string) {
    super(`The database server is PostgreSQL ${version}; PostgreSQL 15 or newer is needed`);
    this.name = 'DatabaseTooOld';
  }
}

async function assertServerVersion(client: Client): Promise<void> {
  const { rows } = await client.query<{ number: number; text: string }>(
    `select current_setting('server_version_num')::int as number, current_setting('server_version') as text`,
  );
  if (rows[0]!.number < OLDEST_SERVER) throw new DatabaseTooOld(rows[0]!.text);
}

function migrationSource(url: string, migrations: MigrationClass[]): DataSource {
  return new DataSource({
    type: 'postgres',
    url,
    migrations,
    migrationsTableName: 'schema_migration',
    applicationName: 'navigator-migrate',
    poolSize: 1,
  });
}
