import { randomUUID } from 'node:crypto';
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { findProcess, isRunning, type ProcessIdentity } from './process-table.js';

/** A lock that a living process holds; it ends with the process, however that ends. */
export interface FileLock {
  /** Gives the lock back; twice does nothing. */
  release(): Promise<void>;
}

export class LockHeld extends Error {
  constructor(readonly holderPid: number) {
    super(`The lock is held by process ${holderPid}`);
    this.name = 'LockHeld';
  }
}

/**
 * Takes the lock that the file at `path` stands for. A file whose process has ended does not count.
 *
 * The file says who holds the lock, so it must never be seen half-written: it is written under another name and
 * linked into place, which fails when the place is taken.
 * @throws LockHeld naming the living holder; a file system error when the folder cannot be written
 */
export async function acquireLock(path: string): Promise<FileLock> {
  const claim = `${path}.${randomUUID()}`;
  try {
    await writeFile(claim, JSON.stringify(await ownIdentity()), { flag: 'wx' });
    while (!(await linkIfAbsent(claim, path)) && !(await replaceIfStale(claim, path)));
  } finally {
    await rm(claim, { force: true });
  }
  let released: Promise<void> | undefined;
  return { release: () => (released ??= rm(path, { force: true })) };
}

async function linkIfAbsent(claim: string, path: string): Promise<boolean> {
  try {
    await link(claim, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/**
 * Two processes may find the same stale lock, and the slower one must not replace the lock that the faster one has
 * taken meanwhile. So replacing needs a lock of its own, under which the file is read once more: from then on
 * nobody else can change it, because its holder has ended.
 */
async function replaceIfStale(claim: string, path: string): Promise<boolean> {
  if (!(await isStale(path))) return false;
  const replacing = await acquireLock(`${path}.replacing`);
  try {
    if (!(await isStale(path))) return false;
    await rename(claim, path);
    return true;
  } finally {
    await replacing.release();
  }
}

/** @throws LockHeld when the holder lives */
async function isStale(path: string): Promise<boolean> {
  const text = await readFile(path, 'utf8').catch(ifAbsent);
  if (text === undefined) return false;
  const holder = parseIdentity(text);
  if (holder && (await isRunning(holder))) throw new LockHeld(holder.pid);
  return true;
}

async function ownIdentity(): Promise<ProcessIdentity> {
  const own = await findProcess(process.pid);
  if (!own) throw new Error('The process table cannot be read, so the data folder cannot be locked');
  return { pid: own.pid, started: own.started };
}

/** A file that nobody can have written, such as an empty one after a power cut, names no holder. */
function parseIdentity(text: string): ProcessIdentity | undefined {
  try {
    const { pid, started } = JSON.parse(text) as ProcessIdentity;
    return { pid, started };
  } catch {
    return undefined;
  }
}

function ifAbsent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}
