import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/**
 * Names a worker process so that another one on the same machine can tell whether it still lives: process numbers
 * are given out again, so the time of its start belongs to the name.
 */
export interface WorkerIdentity {
  /** Machine, its boot and its process namespace: only within these can a process number be looked up. */
  place: string;
  pid: number;
  /** In the kernel's clock ticks since boot; empty where the system does not say. */
  startTicks: string;
}

export function ownIdentity(): WorkerIdentity {
  const bootId = readText('/proc/sys/kernel/random/boot_id') ?? '';
  return {
    place: `${hostname()}/${bootId}/${readLink('/proc/self/ns/pid') ?? ''}`,
    pid: process.pid,
    startTicks: startTicksOf(process.pid) ?? '',
  };
}

/** The form in which it stands in `job.worker_id`. */
export function formatIdentity({ place, pid, startTicks }: WorkerIdentity): string {
  return JSON.stringify([place, pid, startTicks]);
}

/** True only when it is certain: the worker ran here, and no process has its number and its start. */
export function isDead(workerId: string, own: WorkerIdentity = ownIdentity()): boolean {
  const other = parseIdentity(workerId);
  if (!other || other.place !== own.place) return false;
  const startTicks = startTicksOf(other.pid);
  if (startTicks !== undefined) return other.startTicks !== '' && startTicks !== other.startTicks;
  return !processExists(other.pid);
}

function parseIdentity(workerId: string): WorkerIdentity | undefined {
  try {
    const [place, pid, startTicks] = JSON.parse(workerId) as [string, number, string];
    return { place, pid, startTicks };
  } catch {
    return undefined;
  }
}

/**
 * Fields 3 (state) and 22 (start) of /proc/<pid>/stat; the command in field 2 may hold spaces and parentheses, so
 * they are counted from its end. A zombie has no start: it waits to be reaped and does nothing any more.
 */
function startTicksOf(pid: number): string | undefined {
  const stat = readText(`/proc/${pid}/stat`);
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields?.[0] === 'Z' ? 'zombie' : fields?.[19];
}

function processExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}

function readLink(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
