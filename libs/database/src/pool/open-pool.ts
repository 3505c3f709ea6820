import { Client, type Pool } from 'pg';
import { DataSource } from 'typeorm';
import { ConnectionGate } from './connection-gate.js';
import { PooledClient } from './pooled-client.js';

/** For a connection of the pool, with its wait for a server that is starting. */
const CONNECT_TIMEOUT_MS = 5_000;
/** For the attempts that find out whether the server is back. */
const ATTEMPT_TIMEOUT_MS = 2_000;
/** A dead peer is noticed on connections that say nothing. Linux then asks nine times, every 75 s, unless told otherwise. */
const KEEP_ALIVE_MS = 10_000;

const STOCK_EVERY_MS = 250;

/** One for each login to a database: its pool, listener and probe are one crowd. What another login lacks is not its trouble. */
const gates = new Map<string, ConnectionGate>();

export function gateOf(url: string): ConnectionGate {
  const gate = gates.get(url) ?? new ConnectionGate(() => connectOnce(url));
  gates.set(url, gate);
  return gate;
}

export async function openPool(appUrl: string, poolMax: number): Promise<DataSource> {
  const source = await new DataSource({
    type: 'postgres',
    url: appUrl,
    poolSize: poolMax,
    applicationName: 'navigator',
    connectTimeoutMS: CONNECT_TIMEOUT_MS,
    extra: {
      Client: PooledClient,
      gate: gateOf(appUrl),
      // What is sent together need not wait for each other's answers: a read then takes one round trip less.
      pipeline: true,
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
      idleTimeoutMillis: 0,
      // A transaction that its process forgot would hold locks and, later, the audit's watermark.
      idle_in_transaction_session_timeout: 60_000,
    },
  }).initialize();
  keepStock(poolOf(source));
  return source;
}

/**
 * Makes all connections before they are needed, four a second: they are needed when every answer takes long, and then to
 * make one takes as long as four answers.
 */
function keepStock(pool: Pool): void {
  const timer = setInterval(() => {
    if (pool.ending) clearInterval(timer);
    else if (pool.totalCount < pool.options.max)
      (pool as Undeclared).newClient({ callback: (_error, _client, release) => release() });
  }, STOCK_EVERY_MS).unref();
}

/** `connect()` would give an idle one as long as there is one. */
type Undeclared = Pool & {
  newClient(pending: { callback(error: unknown, client: unknown, release: () => void): void }): void;
};

export function poolOf(source: DataSource): Pool {
  return (source.driver as unknown as { master: Pool }).master;
}

async function connectOnce(url: string): Promise<void> {
  const client = new Client({
    connectionString: url,
    application_name: 'navigator',
    connectionTimeoutMillis: ATTEMPT_TIMEOUT_MS,
  });
  client.on('error', () => undefined);
  await client.connect();
  void client.end().catch(() => undefined);
}
