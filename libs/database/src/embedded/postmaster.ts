import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { type Account, SERVER_ENVIRONMENT } from './account.js';
import { WORKING_DIRECTORY } from './data-folder.js';
import { EmbeddedPostgresError } from './embedded-postgres.errors.js';

export interface ServerExit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface LaunchOptions {
  program: string;
  cluster: string;
  account?: Account;
  /** As in postgresql.conf. */
  settings: Record<string, string>;
  log: (line: string) => void;
  /** Aborts the start; a server that is ready takes no notice. */
  signal: AbortSignal;
}

/** The main process of a PostgreSQL server, a child of this process. */
export class Postmaster {
  readonly pid: number;
  readonly exited: Promise<ServerExit>;
  private readonly drained: Promise<unknown>;
  private readonly recentLines: string[] = [];
  private hasExited = false;
  private stopping?: Promise<void>;

  /**
   * Starts the server and waits until it takes connections.
   * @throws EmbeddedPostgresError `start-failed` with the server's last lines
   */
  static async launch({
    program,
    cluster,
    account,
    settings,
    log,
    signal,
  }: LaunchOptions): Promise<Postmaster> {
    const values = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
    const args = [...values, folderMark(cluster)].flatMap((value) => ['-c', value]);
    const child = spawn(program, ['-D', account ? WORKING_DIRECTORY : cluster, ...args], {
      cwd: cluster,
      ...account,
      env: SERVER_ENVIRONMENT,
      // A session of its own: Ctrl-C in the terminal is for the program, which stops its database last.
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    try {
      await once(child, 'spawn');
    } catch (cause) {
      throw new EmbeddedPostgresError(
        'start-failed',
        `${program} cannot be run: ${(cause as Error).message}`,
      );
    }
    const postmaster = new Postmaster(child, log);
    await postmaster.untilReady(cluster, signal);
    return postmaster;
  }

  private constructor(
    private readonly child: ChildProcess,
    log: (line: string) => void,
  ) {
    this.pid = child.pid!;
    createInterface({ input: child.stderr! }).on('line', (line) => {
      this.recentLines.push(line);
      if (this.recentLines.length > RECENT_LINES) this.recentLines.shift();
      log(line);
    });
    this.drained = once(child.stderr!, 'close');
    // process.exit() gives no time for an orderly stop, but enough to ask for one.
    const askToStop = () => void child.kill('SIGINT');
    process.once('exit', askToStop);
    this.exited = once(child, 'exit').then(([code, signal]) => {
      this.hasExited = true;
      process.off('exit', askToStop);
      return { code, signal } as ServerExit;
    });
  }

  /** Ends all connections, writes everything to disk and waits until the process has ended. */
  stop(limits?: StopLimits): Promise<void> {
    return (this.stopping ??= shutDown((signal) => this.child.kill(signal), this.exited, limits));
  }

  private async untilReady(cluster: string, signal: AbortSignal): Promise<void> {
    while (!(await this.isReady(cluster))) {
      if (this.hasExited) throw await this.failure('PostgreSQL ended while starting');
      if (signal.aborted) {
        await this.stop();
        throw await this.failure('PostgreSQL did not start in time');
      }
      await delay(READY_POLL_MS);
    }
  }

  /** The eighth line of the postmaster's file is its state, written for those who wait for it, as pg_ctl does. */
  private async isReady(cluster: string): Promise<boolean> {
    const lines = (await readFile(join(cluster, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n');
    return Number(lines[0]) === this.pid && lines[7]?.trim() === 'ready';
  }

  private async failure(what: string): Promise<EmbeddedPostgresError> {
    // Its last lines may still be in the pipe, and a child of it may hold the pipe open.
    await endsWithin(this.drained, LAST_LINES_MS);
    return new EmbeddedPostgresError(
      'start-failed',
      `${what}: ${this.recentLines.join('\n') || 'it said nothing'}`,
    );
  }
}

const RECENT_LINES = 20;
const READY_POLL_MS = 5;
const LAST_LINES_MS = 500;

const MARK = 'navigator.data_folder=';

/** A setting of our own, by which a server's command line tells whose it is. */
export function folderMark(cluster: string): string {
  return `${MARK}${cluster}`;
}

/** Whose server a command line belongs to; `unknown` is a PostgreSQL server that we did not start. */
export function serverOwner(command: string, cluster: string): 'ours' | 'unknown' | 'not-ours' {
  if (command.endsWith(` ${folderMark(cluster)}`)) return 'ours';
  // A server's children rename themselves to "postgres: …" and never own a folder.
  return /(^|\/)(postgres|postmaster) -/.test(command) && !command.includes(MARK) ? 'unknown' : 'not-ours';
}

export interface StopLimits {
  /** For an orderly stop; a checkpoint of full buffers on a slow disk takes seconds. */
  fastMs: number;
  /** For a stop that leaves the rest to the recovery at the next start. */
  immediateMs: number;
}

const STOP_LIMITS: StopLimits = { fastMs: 15_000, immediateMs: 3_000 };

/**
 * PostgreSQL's shutdown modes, one after the other: fast, immediate, and at last the kill that nothing withstands.
 * Even after that no committed change is lost, because the next start recovers it from the log.
 */
export async function shutDown(
  send: (signal: NodeJS.Signals) => void,
  ended: Promise<unknown>,
  { fastMs, immediateMs }: StopLimits = STOP_LIMITS,
): Promise<void> {
  send('SIGINT');
  if (await endsWithin(ended, fastMs)) return;
  send('SIGQUIT');
  if (await endsWithin(ended, immediateMs)) return;
  send('SIGKILL');
  await ended;
}

async function endsWithin(ended: Promise<unknown>, limitMs: number): Promise<boolean> {
  const timer = new AbortController();
  try {
    return await Promise.race([ended.then(() => true), delay(limitMs, false, { signal: timer.signal })]);
  } finally {
    timer.abort();
  }
}
