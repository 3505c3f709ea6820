import { randomBytes } from 'node:crypto';
import { chmod, chown, lchown, mkdir, mkdtemp, open, readdir, readFile } from 'node:fs/promises';
import { realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { type Account, runAs } from './account.js';
import { EmbeddedPostgresError } from './embedded-postgres.errors.js';
import { acquireLock, type FileLock, LockHeld } from './lock-file.js';
import type { ServerBinaries } from './binaries.js';

/** A data folder that no other living process uses. */
export interface DataFolder {
  path: string;
  /** PostgreSQL's own folder within it: what PostgreSQL calls a cluster. */
  cluster: string;
  lock: FileLock;
}

/** PostgreSQL's name for the superuser, who owns the database and its schema. */
export const OWNER = 'navigator_owner';

/**
 * How an account reaches its working directory, even where it may not enter the folders above it, such as /root: the
 * kernel follows this link without walking the path. It lets the database stay in the data folder in every case.
 */
export const WORKING_DIRECTORY = '/proc/self/cwd';

/**
 * Makes the folder if need be and locks it for this process.
 * @throws EmbeddedPostgresError `folder-not-writable` or `folder-in-use`
 */
export async function openDataFolder(dataDir: string): Promise<DataFolder> {
  try {
    await mkdir(dirname(resolve(dataDir)), { recursive: true });
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
    const path = await realpath(dataDir);
    const lock = await acquireLock(join(path, 'postgres.lock'));
    return { path, cluster: join(path, 'pgdata'), lock };
  } catch (error) {
    if (!(error instanceof LockHeld)) throw notWritable(dataDir, error as NodeJS.ErrnoException);
    throw new EmbeddedPostgresError(
      'folder-in-use',
      `The data folder ${dataDir} is in use by process ${error.holderPid}, which runs its database. ` +
        'Stop that process first, or use another folder',
    );
  }
}

/**
 * The owner's password, made at the first start: 256 random bits in a file that only the folder's owner can read.
 * @throws EmbeddedPostgresError `password-missing` when there is a database but no password
 */
export async function ensurePassword({ path, cluster }: DataFolder): Promise<string> {
  const file = join(path, 'postgres.password');
  const existing = await readFile(file, 'utf8').catch(ifAbsent);
  if (existing?.trim()) return existing.trim();
  if (await isPresent(cluster)) {
    throw new EmbeddedPostgresError(
      'password-missing',
      `${cluster} holds a database, but its password is not in ${file}: restore that file`,
    );
  }
  const password = randomBytes(32).toString('base64url');
  await rm(`${file}.new`, { force: true });
  await writeFile(`${file}.new`, `${password}\n`, { mode: 0o600, flush: true });
  await giveToOwnerOf(path, `${file}.new`);
  await rename(`${file}.new`, file);
  return password;
}

/** Root may prepare a folder for its owner, who must be able to start without root later. */
async function giveToOwnerOf(folder: string, file: string): Promise<void> {
  const { uid, gid } = await stat(folder);
  if (process.getuid?.() === 0) await chown(file, uid, gid);
}

export interface ClusterOptions {
  binaries: ServerBinaries;
  account?: Account;
  password: string;
  /** False leaves the new files to the system's cache: quicker, and lost with the machine's power. */
  durable: boolean;
  signal: AbortSignal;
}

/**
 * Makes the database at the first start, and at later ones makes sure that it fits the binaries and the account.
 * @throws EmbeddedPostgresError `initdb-failed`, `incompatible-data` or `folder-not-writable`
 */
export async function ensureCluster(folder: DataFolder, options: ClusterOptions): Promise<void> {
  if (!(await isPresent(folder.cluster))) return createCluster(folder, options);
  const version = (await readFile(join(folder.cluster, 'PG_VERSION'), 'utf8').catch(() => 'unknown')).trim();
  const { majorVersion } = options.binaries;
  if (version !== majorVersion) {
    throw new EmbeddedPostgresError(
      'incompatible-data',
      `${folder.cluster} was made by PostgreSQL ${version}; this is PostgreSQL ${majorVersion}`,
    );
  }
  await adoptCluster(folder.cluster, options.account);
}

/** initdb works in a folder of its own, which takes its place when it is complete: a kill leaves no half of it. */
async function createCluster(folder: DataFolder, options: ClusterOptions): Promise<void> {
  const { binaries, account, password, durable, signal } = options;
  await removeUnfinished(folder.path);
  const workFolder = await mkdtemp(join(folder.path, UNFINISHED));
  const data = join(workFolder, 'data');
  try {
    await mkdir(data, { mode: 0o700 });
    await writeFile(join(workFolder, 'password'), password, { mode: 0o600 });
    if (account) await chownTree(workFolder, account);
    const location = [
      '-D',
      account ? WORKING_DIRECTORY : data,
      '--pwfile=../password',
      `--username=${OWNER}`,
    ];
    const args = [...location, ...INITDB_OPTIONS, durable ? SYNC_METHOD : '--no-sync'];
    const { code, output } = await runAs(account, binaries.initdb, args, { cwd: data, signal });
    if (code !== 0) {
      throw new EmbeddedPostgresError('initdb-failed', `initdb ended with ${code}: ${output.trim()}`);
    }
    await rename(data, folder.cluster);
    if (durable) await syncFolder(folder.path);
  } finally {
    await rm(workFolder, REMOVE_TREE);
  }
}

const UNFINISHED = 'pgdata.unfinished-';
const REMOVE_TREE = { recursive: true, force: true, maxRetries: 10, retryDelay: 50 };

/** One sync of the file system instead of one for each of a thousand files: 1.4 s against 3.5 s on a slow disk. */
const SYNC_METHOD = process.platform === 'linux' ? '--sync-method=syncfs' : '--sync-method=fsync';

const INITDB_OPTIONS = [
  '--auth=scram-sha-256',
  '--encoding=UTF8',
  // The built-in provider sorts the same on every machine, whatever its C library does.
  '--locale-provider=builtin',
  '--builtin-locale=C.UTF-8',
  '--locale=C',
  '--data-checksums',
  '--no-instructions',
];

/** What a killed initdb left. What cannot be removed now, because that initdb still writes, is at the next start. */
async function removeUnfinished(path: string): Promise<void> {
  const names = (await readdir(path)).filter((name) => name.startsWith(UNFINISHED));
  await Promise.allSettled(names.map((name) => rm(join(path, name), REMOVE_TREE)));
}

/** A restored backup may belong to root, or be open to others, and PostgreSQL would refuse it. */
async function adoptCluster(cluster: string, account: Account | undefined): Promise<void> {
  const { uid, mode } = await stat(cluster);
  const wanted = account?.uid ?? process.geteuid?.() ?? uid;
  if (uid !== wanted && !account) {
    throw new EmbeddedPostgresError(
      'folder-not-writable',
      `${cluster} belongs to the user with uid ${uid} and this process runs as ${wanted}: start it as that user`,
    );
  }
  if (account && uid !== wanted) await chownTree(cluster, account);
  if ((mode & 0o077) !== 0) await chmod(cluster, 0o700);
}

async function chownTree(path: string, account: Account): Promise<void> {
  await lchown(path, account.uid, account.gid);
  for (const entry of await readdir(path, { withFileTypes: true, recursive: true })) {
    await lchown(join(entry.parentPath, entry.name), account.uid, account.gid);
  }
}

/** A rename is on the disk only when its folder is. */
async function syncFolder(path: string): Promise<void> {
  const handle = await open(path);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function notWritable(folder: string, cause: NodeJS.ErrnoException): EmbeddedPostgresError {
  const message = `The data folder ${folder} cannot be used: ${cause.message}`;
  return new EmbeddedPostgresError('folder-not-writable', message, { cause });
}

async function isPresent(path: string): Promise<boolean> {
  return (await stat(path).catch(ifAbsent)) !== undefined;
}

function ifAbsent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}
