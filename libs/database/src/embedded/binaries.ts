import {
  chmod,
  copyFile,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
} from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';
import { type Account, runAs } from './account.js';
import { EmbeddedPostgresError } from './embedded-postgres.errors.js';

export interface ServerPackage {
  folder: string;
  version: string;
}

export interface ServerBinaries {
  initdb: string;
  postgres: string;
  /** Databases of another major version cannot be opened. */
  majorVersion: string;
}

/**
 * The npm package that holds PostgreSQL for a platform.
 * @throws EmbeddedPostgresError `no-binaries` when it is not installed
 */
export async function findServerPackage(
  platform: string = process.platform,
  arch: string = process.arch,
): Promise<ServerPackage> {
  const name = `@embedded-postgres/${platform}-${arch}`;
  try {
    const folder = dirname(dirname(createRequire(import.meta.url).resolve(name)));
    const { version } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as ServerPackage;
    return { folder, version };
  } catch (cause) {
    throw new EmbeddedPostgresError(
      'no-binaries',
      `There is no embedded PostgreSQL for ${platform}-${arch}: the package ${name} is not installed. ` +
        'Install it, or set DATABASE_URL to a PostgreSQL server of your own',
      { cause },
    );
  }
}

/**
 * Binaries that the account can run: those of the package where they lie, if that works, or else a copy. It does not
 * work where the project is in a folder that the account may not enter (/root), or where npm was not allowed to run
 * the package's install script and we cannot make up for it in a read-only node_modules.
 * @param cacheFolders where the copy may be kept, tried in this order
 * @throws EmbeddedPostgresError `no-binaries` when no copy can be run either
 */
export async function prepareBinaries(
  source: ServerPackage,
  account: Account | undefined,
  { cacheFolders, log }: { cacheFolders: string[]; log: (line: string) => void },
): Promise<ServerBinaries> {
  await linkLibraries(source.folder).catch(() => undefined);
  let obstacle = await obstacleToRunning(source.folder, account);
  if (!obstacle) return binariesIn(source);
  for (const cache of cacheFolders) {
    try {
      const copy = await copyPackage(source, cache);
      obstacle = await obstacleToRunning(copy.folder, account);
      if (obstacle) continue;
      log(`PostgreSQL runs from a copy in ${copy.folder}, because it cannot be run from node_modules.`);
      return binariesIn(copy);
    } catch (error) {
      obstacle = (error as Error).message;
    }
  }
  throw new EmbeddedPostgresError('no-binaries', `The embedded PostgreSQL cannot be run here: ${obstacle}`);
}

function binariesIn({ folder, version }: ServerPackage): ServerBinaries {
  const bin = join(folder, 'native', 'bin');
  return {
    initdb: join(bin, 'initdb'),
    postgres: join(bin, 'postgres'),
    majorVersion: version.split('.')[0]!,
  };
}

/** Starting it is the one test that knows of modes, access lists, noexec mounts and missing libraries alike. */
async function obstacleToRunning(folder: string, account: Account | undefined): Promise<string | undefined> {
  const { code, output } = await runAs(account, join(folder, 'native', 'bin', 'postgres'), ['--version']);
  if (code === 0) return undefined;
  return `postgres --version ended with ${code} (${output.trim() || 'no output'})`;
}

/** npm packages cannot hold symbolic links, so the package lists those between its libraries. */
async function linkLibraries(folder: string): Promise<void> {
  const list = await readFile(join(folder, 'native', 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    await symlink(relative(dirname(target), source), join(folder, target)).catch(ifOtherThan('EEXIST'));
  }
}

/** Copies the package into the cache unless it is there. The copy appears at once and whole, or not at all. */
async function copyPackage(source: ServerPackage, cache: string): Promise<ServerPackage> {
  await mkdir(cache, { recursive: true, mode: 0o755 });
  await requireOurs(cache);
  const copy = { ...source, folder: join(cache, `postgres-${source.version}-${basename(source.folder)}`) };
  if (await isPresent(copy.folder)) {
    await requireOurs(copy.folder);
    return copy;
  }
  const unfinished = await mkdtemp(join(cache, 'unfinished-'));
  try {
    await copyTree(join(source.folder, 'native'), join(unfinished, 'native'));
    await linkLibraries(unfinished);
    await chmod(unfinished, 0o755);
    // Another process may have been faster; its copy is as good.
    await rename(unfinished, copy.folder).catch(ifOtherThan('ENOTEMPTY', 'EEXIST'));
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
  return copy;
}

/** Modes are set, not copied: a strict umask may have made the originals readable for their owner only. */
async function copyTree(from: string, to: string): Promise<void> {
  await mkdir(to);
  await chmod(to, 0o755);
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) await copyTree(source, target);
    // The static libraries are for programs that link with them; the symbolic links are made from the list.
    if (!entry.isFile() || entry.name.endsWith('.a')) continue;
    await copyFile(source, target);
    await chmod(target, basename(from) === 'bin' ? 0o755 : 0o644);
  }
}

/** In a temporary folder, somebody else may have put something under our name for us to run. */
async function requireOurs(folder: string): Promise<void> {
  const found = await lstat(folder);
  if (found.isDirectory() && found.uid === process.geteuid?.() && (found.mode & 0o022) === 0) return;
  throw new Error(`${folder} is not a folder that only this user can write`);
}

async function isPresent(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

function ifOtherThan(...codes: string[]): (error: NodeJS.ErrnoException) => void {
  return (error) => {
    if (!codes.includes(error.code ?? '')) throw error;
  };
}
