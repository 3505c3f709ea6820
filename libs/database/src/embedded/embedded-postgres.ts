import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { withClient } from '../connect.js';
import { type Account, chooseAccount } from './account.js';
import { findServerPackage, prepareBinaries } from './binaries.js';
import { type DataFolder, ensureCluster, ensurePassword, openDataFolder, OWNER } from './data-folder.js';
import { EmbeddedPostgresError } from './embedded-postgres.errors.js';
import { onFreePort } from './free-port.js';
import { endLeftOver } from './left-over.js';
import { type LaunchOptions, Postmaster, type ServerExit } from './postmaster.js';

export interface EmbeddedPostgresOptions {
  /** Holds all there is: `pgdata`, `postgres.password` and `postgres.lock`. Made if absent. */
  dataDir: string;
  /** On 127.0.0.1. Default: a free one, another at every start. */
  port?: number;
  /** Beyond or instead of the defaults below; names and values as in postgresql.conf. */
  settings?: Record<string, string>;
  /** Gets PostgreSQL's own lines, none of which holds a statement or its values, and a few of ours. */
  log?: (line: string) => void;
  /**
   * For the copy of PostgreSQL's binaries that a root process makes if the unprivileged account cannot run them where
   * they lie. Default: in /var/cache, or else in the temporary folder.
   */
  cacheFolder?: string;
  /** Called once if the server ends without `stop()`. The folder is free again then. */
  onExit?: (exit: ServerExit) => void;
  /** For the first start's initdb, and for recovery after a crash, which reads up to 1 GB of log. Default 120 s. */
  startTimeoutMs?: number;
}

export interface EmbeddedPostgres {
  /** As the owner of the database: `postgres://navigator_owner:…@127.0.0.1:<port>/navigator`. */
  url: string;
  port: number;
  pid: number;
  /** An orderly shutdown, by force after 15 s; resolves when the process has ended. Twice does nothing. */
  stop(): Promise<void>;
}

/**
 * Starts PostgreSQL on a folder, making the database if there is none, and waits until it takes connections.
 *
 * The server is a child of this process but does not die with it: after a SIGKILL it runs on, and the next start on
 * the folder stops it in an orderly way first.
 * @throws EmbeddedPostgresError whose `code` says what is in the way
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const folder = await openDataFolder(options.dataDir);
  try {
    return await startIn(folder, options);
  } catch (error) {
    await folder.lock.release();
    throw error;
  }
}

async function startIn(folder: DataFolder, options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { log = () => undefined, startTimeoutMs = START_TIMEOUT_MS } = options;
  const account = await chooseAccount(folder.path, folder.cluster);
  if (account) log(explainAccount(account, folder));
  await endLeftOver(folder.cluster, log);
  const cacheFolders = cacheFoldersFor(account, folder, options.cacheFolder);
  const binaries = await prepareBinaries(await findServerPackage(), account, { cacheFolders, log });
  const password = await ensurePassword(folder);
  const signal = AbortSignal.timeout(startTimeoutMs);
  const durable = options.settings?.fsync !== 'off';
  await ensureCluster(folder, { binaries, account, password, durable, signal });

  const launch = { program: binaries.postgres, cluster: folder.cluster, account, log, signal };
  return onFreePort(options.port, async (port) => {
    const settings = { ...DEFAULT_SETTINGS, ...options.settings, ...addressSettings(port) };
    const postmaster = await launchWhenFree({ ...launch, settings });
    const url = `postgres://${OWNER}:${password}@127.0.0.1:${port}/${DATABASE}`;
    await ensureDatabase(url).catch(async (error) => {
      await postmaster.stop();
      throw error;
    });
    return handleOf(postmaster, { url, port, folder, log, onExit: options.onExit });
  });
}

function explainAccount({ uid }: Account, { cluster }: DataFolder): string {
  return `PostgreSQL refuses to run as root: it runs as uid ${uid}, which owns ${cluster}.`;
}

/** What another account runs must lie where it can enter, and where nobody but root can write. */
function cacheFoldersFor(account: Account | undefined, folder: DataFolder, wanted?: string): string[] {
  if (wanted) return [wanted];
  if (!account) return [folder.path];
  return ['/var/cache', tmpdir()].map((parent) => join(parent, 'insurance-navigator'));
}

/** The children of a killed server let go of its memory within moments; until then PostgreSQL refuses to start. */
async function launchWhenFree(options: LaunchOptions): Promise<Postmaster> {
  for (;;) {
    try {
      return await Postmaster.launch(options);
    } catch (error) {
      if (options.signal.aborted || !STILL_IN_USE.test((error as Error).message)) throw error;
      await endLeftOver(options.cluster, options.log);
      await delay(50);
    }
  }
}

const STILL_IN_USE = /pre-existing shared memory block|lock file "postmaster.pid" already exists/;

/** @throws EmbeddedPostgresError `start-failed` when the server does not let the owner in */
async function ensureDatabase(url: string): Promise<void> {
  const maintenanceUrl = Object.assign(new URL(url), { pathname: '/postgres' }).href;
  try {
    await withClient(maintenanceUrl, async (owner) => {
      const { rows } = await owner.query('select 1 from pg_database where datname = $1', [DATABASE]);
      if (rows.length === 0) await owner.query(`create database ${DATABASE}`);
    });
  } catch (cause) {
    const message = `The embedded PostgreSQL does not let its owner in: ${(cause as Error).message}`;
    throw new EmbeddedPostgresError('start-failed', message, { cause });
  }
}

interface HandleOptions extends Pick<EmbeddedPostgresOptions, 'onExit'> {
  url: string;
  port: number;
  folder: DataFolder;
  log: (line: string) => void;
}

function handleOf(
  postmaster: Postmaster,
  { url, port, folder, log, onExit }: HandleOptions,
): EmbeddedPostgres {
  let expected = false;
  const closed = postmaster.exited.then(async (exit) => {
    await folder.lock.release();
    if (expected) return;
    log(`The database server ended by itself (${exit.signal ?? `code ${exit.code}`}).`);
    onExit?.(exit);
  });
  const stop = async () => {
    expected = true;
    await postmaster.stop();
    await closed;
  };
  return { url, port, pid: postmaster.pid, stop };
}

export const DATABASE = 'navigator';
const START_TIMEOUT_MS = 120_000;

/** For a small machine, and for a log without a word of the documents. */
const DEFAULT_SETTINGS: Record<string, string> = {
  cluster_name: 'insurance-navigator',
  max_connections: '100',
  shared_buffers: '128MB',
  // Our statements are short; compiling one costs more than it saves.
  jit: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_destination: 'stderr',
  logging_collector: 'off',
  log_line_prefix: '',
  log_checkpoints: 'off',
  // An error's text quotes the value it is about, so errors go to the client only. `log` means LOG, FATAL, PANIC.
  log_min_messages: 'log',
  log_error_verbosity: 'terse',
  log_statement: 'none',
  log_min_error_statement: 'panic',
  log_parameter_max_length: '0',
  log_parameter_max_length_on_error: '0',
  // After a crash: one sync instead of one for each file, 0.1 s against 3 s on a slow disk.
  ...(process.platform === 'linux' && { recovery_init_sync_method: 'syncfs' }),
};

function addressSettings(port: number): Record<string, string> {
  return { listen_addresses: '127.0.0.1', port: String(port), unix_socket_directories: '' };
}
