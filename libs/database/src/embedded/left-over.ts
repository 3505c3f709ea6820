import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { EmbeddedPostgresError } from './embedded-postgres.errors.js';
import { serverOwner, shutDown } from './postmaster.js';
import { findProcess, isPidTaken, isRunning, type ProcessIdentity } from './process-table.js';

/**
 * Stops the server that an earlier run left behind when it was killed. Call it with the folder's lock only: then
 * nobody alive needs that server.
 *
 * The pid comes from PostgreSQL's own file in the folder. After a crash the file stays, and its pid may be a
 * stranger's by now, so the process must also carry the folder's mark in its command line.
 * @throws EmbeddedPostgresError `folder-in-use` when the pid is a PostgreSQL server that we did not start
 */
export async function endLeftOver(cluster: string, log: (line: string) => void): Promise<void> {
  const file = join(cluster, 'postmaster.pid');
  const pid = Number.parseInt(await readFile(file, 'utf8').catch(() => ''), 10);
  if (!(pid > 0)) return;
  const found = await findProcess(pid);
  const owner = found ? serverOwner(found.command, cluster) : 'not-ours';
  if (owner === 'unknown') {
    throw new EmbeddedPostgresError(
      'folder-in-use',
      `${cluster} may be in use by process ${pid}, a PostgreSQL server that this program did not start`,
    );
  }
  if (found && owner === 'ours') {
    log(`Stopping the database server (process ${pid}) that an earlier run left behind.`);
    await shutDown((signal) => sendIfRunning(pid, signal), untilEnded(found));
  } else if (isPidTaken(pid)) {
    // PostgreSQL would take any living process for its server and refuse. (For a pid that is free it looks further,
    // whether children of the dead server still have its memory, and it needs this file for that.)
    await rm(file, { force: true });
  }
}

function sendIfRunning(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

async function untilEnded(server: ProcessIdentity): Promise<void> {
  while (await isRunning(server)) await delay(END_POLL_MS);
}

const END_POLL_MS = 10;
