import { type DynamicModule, Module } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import type { RedisConnection } from '#libs/cache';
import { type DatabaseProbe, observePool, TenantDb } from '#libs/database';
import { Faults } from '#libs/faults';
import { Lifecycle } from '#libs/health';
import { DegradationRegistry, type Policy, PolicyRegistry } from '#libs/resilience';
import { noteRefusedWrite } from './app.capabilities.js';

/** What a process has in hand before the application is built on it. */
export interface Infrastructure {
  /** As the restricted application role; whoever made it closes it. */
  source: DataSource;
  /** As the role that seals the audit log, where this process does; whoever made it closes it. */
  sealer?: DataSource;
  databaseProbe: DatabaseProbe;
  appDatabaseUrl: string;
  statementTimeoutMs: number;
  dataDir: string;
  lifecycle: Lifecycle;
  policies: PolicyRegistry;
  capabilities: DegradationRegistry;
  faults: Faults;
  /** The Redis of several processes; whoever made it closes it. */
  sharedCache?: RedisConnection;
  /** The same server again, for what processes count together. */
  sharedCounts?: RedisConnection;
  version: string;
}

/**
 * For reading operators' orders, one of which may be to let nothing through to the database; and for the sealer, whose login
 * may fail alone and must not open everybody's circuit: it asks once a second, and no caller waits for it.
 */
const UNGUARDED: Pick<Policy, 'execute'> = {
  execute: (call, { signal = new AbortController().signal } = {}) => call(signal),
};

@Module({})
export class InfrastructureModule {
  static register(infrastructure: Infrastructure): DynamicModule {
    const { source, sealer, statementTimeoutMs, policies } = infrastructure;
    observePool(source);
    const db = new TenantDb(source, statementTimeoutMs, policies.policy('postgres'));
    const sealerDb = sealer && new TenantDb(sealer, statementTimeoutMs, UNGUARDED);
    for (const each of [db, sealerDb])
      each?.onRefusedWrite(({ code }) => noteRefusedWrite(infrastructure.capabilities, `postgres: ${code}`));
    const providers = [
      { provide: TenantDb, useValue: db },
      { provide: 'CONTROL_DB', useValue: new TenantDb(source, statementTimeoutMs, UNGUARDED) },
      { provide: 'SEALER_DB', useValue: sealerDb ?? null },
      { provide: 'APP_DATABASE_URL', useValue: infrastructure.appDatabaseUrl },
      { provide: 'DATA_DIR', useValue: infrastructure.dataDir },
      { provide: Lifecycle, useValue: infrastructure.lifecycle },
      { provide: PolicyRegistry, useValue: policies },
      { provide: DegradationRegistry, useValue: infrastructure.capabilities },
      { provide: Faults, useValue: infrastructure.faults },
      { provide: 'SHARED_COUNTS', useValue: infrastructure.sharedCounts ?? null },
      { provide: 'VERSION', useValue: infrastructure.version },
    ];
    return {
      module: InfrastructureModule,
      global: true,
      providers,
      exports: providers.map(({ provide }) => provide),
    };
  }
}
