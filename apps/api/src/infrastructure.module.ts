import { type DynamicModule, Module } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import type { RedisConnection } from '#libs/cache';
import { observePool, TenantDb } from '#libs/database';
import { Lifecycle } from '#libs/health';
import { DegradationRegistry, PolicyRegistry } from '#libs/resilience';

/** What a process has in hand before the application is built on it. */
export interface Infrastructure {
  /** As the restricted application role; whoever made it closes it. */
  source: DataSource;
  appDatabaseUrl: string;
  statementTimeoutMs: number;
  dataDir: string;
  lifecycle: Lifecycle;
  policies: PolicyRegistry;
  capabilities: DegradationRegistry;
  /** The Redis of several processes; whoever made it closes it. */
  sharedCache?: RedisConnection;
}

@Module({})
export class InfrastructureModule {
  static register(infrastructure: Infrastructure): DynamicModule {
    const { source, statementTimeoutMs, policies } = infrastructure;
    observePool(source);
    const providers = [
      { provide: TenantDb, useValue: new TenantDb(source, statementTimeoutMs, policies.policy('postgres')) },
      { provide: 'APP_DATABASE_URL', useValue: infrastructure.appDatabaseUrl },
      { provide: 'DATA_DIR', useValue: infrastructure.dataDir },
      { provide: Lifecycle, useValue: infrastructure.lifecycle },
      { provide: PolicyRegistry, useValue: policies },
      { provide: DegradationRegistry, useValue: infrastructure.capabilities },
    ];
    return {
      module: InfrastructureModule,
      global: true,
      providers,
      exports: providers.map(({ provide }) => provide),
    };
  }
}
