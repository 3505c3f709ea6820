import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

/** One run of a program: its pid may be given away after it ended, pid and start together never are. */
export interface ProcessIdentity {
  pid: number;
  /** When it started, in whatever notation the system has; only good for comparing. */
  started: string;
}

export interface RunningProcess extends ProcessIdentity {
  /** The command line as far as the process did not change it, arguments separated by one space. */
  command: string;
}

/** The process that has this pid now; undefined when there is none, or when it ended and only waits to be reaped. */
export function findProcess(pid: number): Promise<RunningProcess | undefined> {
  return process.platform === 'linux' ? findInProc(pid) : findWithPs(pid);
}

/** Whether this very run still goes on, and not another process that was given its pid. */
export async function isRunning({ pid, started }: ProcessIdentity): Promise<boolean> {
  return (await findProcess(pid))?.started === started;
}

/** Whether the system would deliver a signal to this pid, be it a stranger or a process not yet reaped. */
export function isPidTaken(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function findInProc(pid: number): Promise<RunningProcess | undefined> {
  try {
    const [stat, commandLine] = await Promise.all([
      readFile(`/proc/${pid}/stat`, 'utf8'),
      readFile(`/proc/${pid}/cmdline`, 'utf8'),
    ]);
    // proc_pid_stat(5): the name in parentheses may hold anything, so fields are counted after its end.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state, startTicks] = [fields[0], fields[19]];
    if (state === 'Z' || state === 'X') return undefined;
    // Ticks count from the boot of the machine, so the same count can come back after another boot.
    return {
      pid,
      started: `${await bootId()}:${startTicks}`,
      command: commandLine.split('\0').join(' ').trim(),
    };
  } catch {
    return undefined;
  }
}

async function bootId(): Promise<string> {
  return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '')).trim();
}

/** For systems without /proc. Exported for its test. */
export async function findWithPs(pid: number): Promise<RunningProcess | undefined> {
  const columns = ['-ww', '-o', 'stat=', '-o', 'lstart=', '-o', 'command=', '-p', String(pid)];
  const run = promisify(execFile)('/bin/ps', columns, { env: { LC_ALL: 'C' } });
  const { stdout } = await run.catch(() => ({ stdout: '' }));
  const match = /^\s*(?<state>\S+)\s+(?<started>.{24})\s+(?<command>.*\S)/.exec(stdout);
  if (!match?.groups || match.groups.state!.startsWith('Z')) return undefined;
  return { pid, started: match.groups.started!, command: match.groups.command! };
}
