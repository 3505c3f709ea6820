export { connectDatabase, connectSealer, withClient, type DatabaseConnection } from './connect.js';
export {
  DatabaseBusy,
  databaseOutcome,
  isDatabaseUnreachable,
  meaningOf,
  StorageFull,
  StorageReadOnly,
} from './database-errors.js';
export { databasePolicy } from './database-policy.js';
export { databaseSection, type DatabaseConfig } from './database.config.js';
export {
  EmbeddedPostgresError,
  runningEmbeddedUrl,
  startEmbeddedPostgres,
  type EmbeddedPostgres,
  type EmbeddedPostgresErrorCode,
  type EmbeddedPostgresOptions,
  type ServerExit,
} from './embedded/index.js';
export { listen, type Listener } from './listen.js';
export { DatabaseTooOld, migrate, migrateDown, type MigrationClass } from './migrate.js';
export { patienceOf } from './patience.js';
export { DatabaseProbe, observePool, openPool } from './pool/index.js';
export { ensureAppRole, ensureSealerRole, InsufficientDatabaseRights } from './roles.js';
export { assertTenancyEnforced, TenancyNotEnforced } from './tenancy-check.js';
export { TenantDb, type BeforeCommit, type LastStatement, type TransactionOptions } from './tenant-db.js';
export type { Statement } from './transaction.js';
export { uuidv5, uuidv7 } from './uuid.js';
