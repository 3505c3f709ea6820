import { mkdir } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { join, resolve } from 'node:path';
import { Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { assertEveryRouteDeclares } from '#libs/auth';
import { RedisConnection } from '#libs/cache';
import { type Config } from '#libs/config';
import { connectDatabase, connectSealer, DatabaseProbe, startEmbeddedPostgres } from '#libs/database';
import { Lifecycle } from '#libs/health';
import { endWaitingStreams, Pressure } from '#libs/http';
import { startErrorReporting, stopErrorReporting } from '#libs/observability';
import { migrations } from '#migrations';
import { poolMaxOf, quotaStoreUrlOf, sections } from './app.config.js';
import { defineCapabilities } from './app.capabilities.js';
import { AppModule } from './app.module.js';
import { prepareFaults } from './app.faults.js';
import { definePolicies } from './app.policies.js';
import { PolicyFile } from './app.policy-file.js';
import { createAdapter, setUp } from './app.setup.js';
import { assertEncrypted } from './app.transport.js';
import { BootstrapService, type BootstrapCredentials } from './auth/index.js';
import { ocrProbe, scannerProbe, transcriberProbe } from './ingestion/index.js';
import { dimensionsOf, prepareVectorIndex, providerProbes } from './rag/index.js';

export interface Program {
  app: NestFastifyApplication;
  url: string;
  /** Of the first administrator; only from the start that created it. */
  credentials?: BootstrapCredentials;
  /** Resolves when the embedded database ended without being asked to; never with an outside database. */
  databaseLost: Promise<void>;
  /** Ends what was started, in order: stop taking requests, finish those under way, workers, pools, database. */
  stop(): Promise<void>;
}

type ProgramConfig = Config<typeof sections>;
/** Requests that are still under way after this are broken off, so that the database can end within 30 s too. */
const REQUESTS_LIMIT_MS = 15_000;
const UNUSED_CHECK_MS = 50;
/** The request on a connection that has said nothing for this long is not merely on its way. */
const SILENT_MS = 1_000;
const RELEASE = 'insurance-navigator@0.1.0';

/** Starts everything that one process runs. What was started is stopped again when a later step fails. */
export async function startProgram(
  config: ProgramConfig,
  root: Pick<typeof AppModule, 'register'> = AppModule,
): Promise<Program> {
  const started: (() => Promise<void>)[] = [];
  const stopStarted = async () => {
    for (const stop of started.splice(0).reverse()) await stop();
  };
  try {
    return await start(config, root, started, stopStarted);
  } catch (error) {
    await stopStarted();
    throw error;
  }
}

async function start(
  given: ProgramConfig,
  root: Pick<typeof AppModule, 'register'>,
  started: (() => Promise<void>)[],
  stopStarted: () => Promise<void>,
): Promise<Program> {
  const config = { ...given, database: { ...given.database, poolMax: poolMaxOf(given) } };
  const { server } = config;
  if (server.requireTls) assertEncrypted(config, sections);
  await startErrorReporting({ ...config.sentry, release: RELEASE });
  started.push(() => stopErrorReporting());
  const dataDir = resolve(server.dataDir);
  await mkdir(dataDir, { recursive: true, mode: 0o700 });

  // Before anything is started: they may be configured wrongly.
  const countsUrl = quotaStoreUrlOf(config);
  const dimensions = dimensionsOf(config.embedder);
  const probes = {
    ...providerProbes(config),
    ...transcriberProbe(config.transcriber),
    ...ocrProbe(config.ocr),
    ...scannerProbe(config.clamd),
  };

  const databaseLost = Promise.withResolvers<void>();
  const embedded = config.database.url ? undefined : await startDatabase(dataDir, databaseLost.resolve);
  if (embedded) started.push(() => embedded.stop());
  const ownerUrl = config.database.url ?? embedded!.url;
  const { source, appUrl, migrated } = await connectDatabase(ownerUrl, config.database, migrations, (owner) =>
    prepareVectorIndex(owner, dimensions),
  );
  started.push(() => source.destroy());
  const sealer = config.audit.sealer === 'on' ? await connectSealer(ownerUrl, config.database) : undefined;
  started.push(async () => sealer?.destroy());
  if (migrated.length > 0) new Logger('database').log({ migrations: migrated.length }, 'schema migrated');

  // It connects while the rest starts, and nothing waits for it.
  const sharedCache = config.cache.url ? new RedisConnection(config.cache.url) : undefined;
  if (sharedCache) started.push(async () => sharedCache.close());
  // Long values of the cache do not hold up what is counted.
  const sharedCounts = countsUrl ? new RedisConnection(countsUrl, Math.random, 'the quota store') : undefined;
  if (sharedCounts) started.push(async () => sharedCounts.close());

  const lifecycle = new Lifecycle();
  const faults = prepareFaults(config.faults);
  const databaseProbe = new DatabaseProbe(appUrl);
  started.push(() => databaseProbe.close());
  const policies = definePolicies(config, {
    probes: {
      ...probes,
      postgres: () => databaseProbe.ping(),
      ...(sharedCache && { cache: (signal) => sharedCache.ping(signal) }),
      ...(sharedCounts && { 'quota-store': (signal) => sharedCounts.ping(signal) }),
    },
    faults: faults.enabled ? faults : undefined,
  });
  started.push(async () => policies.close());
  const policyFile = await PolicyFile.open(config.resilience.file, policies);
  started.push(async () => policyFile?.close());
  const capabilities = defineCapabilities(policies);
  capabilities.start();
  started.push(async () => capabilities.close());
  const infrastructure = {
    source,
    sealer,
    databaseProbe,
    appDatabaseUrl: appUrl,
    statementTimeoutMs: config.database.statementTimeoutMs,
    dataDir,
    lifecycle,
    policies,
    capabilities,
    faults,
    sharedCache,
    sharedCounts,
    version: RELEASE,
  };
  const app = await NestFactory.create<NestFastifyApplication>(
    root.register(config, infrastructure),
    createAdapter(server),
    { bufferLogs: false, abortOnError: false, bodyParser: false },
  );
  const pressure = app.get(Pressure);
  policies.heed(() => pressure.value);
  const connections = connectionsOf(app);
  started.push(() => closeApp(app, connections));
  assertEveryRouteDeclares(app);
  await setUp(app, {
    maxUploadBytes: config.upload.maxBytes,
    streams: config.stream,
    browser: config.browser,
  });
  await app.listen({ port: server.port, host: server.host });
  // Last, because the password that it makes is shown once: nothing that could fail may come between.
  const credentials = await app.get(BootstrapService).bootstrap();
  lifecycle.ready();

  return {
    app,
    url: await app.getUrl(),
    credentials: credentials ?? undefined,
    databaseLost: databaseLost.promise,
    async stop() {
      lifecycle.drain();
      await new Promise((resolve) => setTimeout(resolve, server.shutdownLagMs));
      await endWaitingStreams();
      await stopStarted();
    },
  };
}

/**
 * Finishes what is under way. Node closes only connections that were idle at the beginning: neither one that falls
 * idle later, which its client keeps for the next request, nor one that never asked for anything.
 */
async function closeApp(
  app: NestFastifyApplication,
  connections: ReadonlyMap<Socket, number>,
): Promise<void> {
  const server = app.getHttpServer();
  const closeUnused = () => {
    server.closeIdleConnections();
    for (const [connection, openedAt] of connections)
      if (connection.bytesRead === 0 && performance.now() - openedAt > SILENT_MS) connection.destroy();
  };
  const unused = setInterval(closeUnused, UNUSED_CHECK_MS);
  const limit = setTimeout(() => server.closeAllConnections(), REQUESTS_LIMIT_MS);
  try {
    await app.close();
  } finally {
    clearInterval(unused);
    clearTimeout(limit);
  }
}

/** With the time that each was opened at. */
function connectionsOf(app: NestFastifyApplication): ReadonlyMap<Socket, number> {
  const connections = new Map<Socket, number>();
  app.getHttpServer().on('connection', (connection: Socket) => {
    connections.set(connection, performance.now());
    connection.once('close', () => connections.delete(connection));
  });
  return connections;
}

function startDatabase(dataDir: string, onExit: () => void) {
  const logger = new Logger('postgres');
  return startEmbeddedPostgres({
    dataDir: join(dataDir, 'postgres'),
    log: (line) => logger.log(line),
    onExit,
  });
}
