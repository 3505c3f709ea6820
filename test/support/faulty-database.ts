import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import type { DataSource } from 'typeorm';
import {
  databaseOutcome,
  databasePolicy,
  DatabaseProbe,
  type EmbeddedPostgres,
  openPool,
  startEmbeddedPostgres,
  TenantDb,
} from '#libs/database';
import { newContext, runInContext } from '#libs/observability';
import { type Policy, PolicyRegistry } from '#libs/resilience';
import { type FaultProxy, startFaultProxyFor } from './fault-proxy.js';

export interface FaultyDatabase {
  db: TenantDb;
  policy: Policy;
  proxy: FaultProxy;
  probe: DatabaseProbe;
  source: DataSource;
  /** Past the proxy. */
  owner: pg.Pool;
  server: EmbeddedPostgres;
  /** Starts the server again on its data after it was killed; the proxy follows it. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

export interface FaultyDatabaseOptions {
  settings?: Record<string, string>;
  poolMax?: number;
  statementTimeoutMs?: number;
}

/** A server of its own behind a fault proxy, and the program's way to it: pool, policy and `TenantDb`. */
export async function faultyDatabase(options: FaultyDatabaseOptions = {}): Promise<FaultyDatabase> {
  const { poolMax = 6, statementTimeoutMs = 2_000 } = options;
  const dataDir = await mkdtemp(join(tmpdir(), 'navigator-faults-'));
  const start = () =>
    startEmbeddedPostgres({
      dataDir,
      settings: { synchronous_commit: 'on', fsync: 'off', ...options.settings },
    });
  let server = await start();
  const proxy = await startFaultProxyFor(server.url, { seed: 11 });
  const url = proxy.through(server.url);
  let owner = ownerPool(server.url);
  await owner.query('create table thing (id int primary key, n int not null default 0)');

  const source = await openPool(url, poolMax);
  const probe = new DatabaseProbe(url);
  const policies = new PolicyRegistry();
  const hooks = { classify: databaseOutcome, probe: () => probe.ping() };
  const policy = policies.define('postgres', databasePolicy(poolMax), hooks);
  return {
    db: new TenantDb(source, statementTimeoutMs, policy),
    policy,
    proxy,
    probe,
    source,
    get owner() {
      return owner;
    },
    get server() {
      return server;
    },
    async restart() {
      await owner.end();
      server = await start();
      proxy.target = { host: '127.0.0.1', port: server.port };
      owner = ownerPool(server.url);
    },
    async close() {
      policies.close();
      await proxy.heal();
      await probe.close();
      await source.destroy();
      await owner.end();
      await proxy.close();
      await server.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

function ownerPool(url: string): pg.Pool {
  const pool = new pg.Pool({ connectionString: url, max: 4 });
  pool.on('error', () => undefined); // The server is killed on purpose.
  return pool;
}

/** Runs like a request: with its limits, not with those of jobs. */
export function asRequest<T>(work: () => Promise<T>): Promise<T> {
  const context = newContext({ requestId: 'request-of-a-test' });
  context.priority = 'critical';
  return runInContext(context, work);
}

/** Polls; a test that waits in vain is ended by its own limit. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await delay(10);
}
