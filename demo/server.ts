import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { ApiClient } from './api-client.js';

export interface ServerOptions {
  /** The program's main file. */
  program: string;
  dataDir: string;
  /** The folder is removed afterwards, so a database in it can only be this server's and may be killed with it. */
  temporary: boolean;
  /** Added to this process's own environment. */
  environment: Record<string, string>;
  signal: AbortSignal;
  startLimitMs?: number;
  stopLimitMs?: number;
}

/** The server did not start, or ended by itself; the message has its last lines. */
export class ServerFailed extends Error {}

/** First start: files of the database are made, the schema is created, the embedding model is loaded. */
const START_LIMIT_MS = 180_000;
/** The server's own limit is 28 s. */
const STOP_LIMIT_MS = 32_000;
const READY_POLL_MS = 50;
/** As in `npm start`: a small young generation costs a little more collecting and saves 40 MB at rest. */
const HEAP_FLAG = '--max-semi-space-size=4';
const KEPT_LINES = 30;
const LAST_LINES_MS = 500;
const ANSWERS_AT = /answers at (https?:\/\/\S+)/;

/** The server program as a child process. */
export class ServerProcess {
  /** Resolves when it has ended, for whatever reason. */
  readonly exited: Promise<void>;
  private readonly lastLines: string[] = [];
  private url?: string;
  private hasExited = false;
  private readonly child: ChildProcess;

  /** Starts the server; `ready` tells when it answers. */
  constructor(private readonly options: ServerOptions) {
    this.child = spawn(process.execPath, [HEAP_FLAG, options.program], {
      // npm's mark makes the server end by itself should this process be killed.
      env: {
        ...process.env,
        npm_lifecycle_event: 'demo',
        // Data that is thrown away never goes into a database that the shell happens to name.
        ...(options.temporary ? { DATABASE_URL: '', DATABASE_APP_URL: '', DATABASE_SEALER_URL: '' } : {}),
        ...options.environment,
        DATA_DIR: options.dataDir,
      },
      // A process group of its own: Ctrl-C is for the demonstration, which then stops the server in order.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.child.stdout!, this.child.stderr!]) {
      createInterface({ input: stream }).on('line', (line) => this.keep(line));
    }
    this.exited = untilEnded(this.child).then(() => {
      this.hasExited = true;
      process.off('exit', this.kill);
    });
    // The last resort, should this process end without having stopped the server; before its folder is removed.
    process.prependOnceListener('exit', this.kill);
  }

  /**
   * Waits until the server is ready to answer, and tells its address.
   * @throws ServerFailed when it ends or is not ready in time
   */
  async ready(): Promise<string> {
    const { signal, startLimitMs = START_LIMIT_MS } = this.options;
    const deadline = performance.now() + startLimitMs;
    for (;;) {
      signal.throwIfAborted();
      if (this.hasExited) throw new ServerFailed(`The server ended while starting:\n${this.output}`);
      if (performance.now() > deadline)
        throw new ServerFailed(`The server was not ready in time:\n${this.output}`);
      if (this.url && (await new ApiClient(this.url, signal).isReady())) return this.url;
      await Promise.race([delay(READY_POLL_MS, undefined, { signal }), this.exited]);
    }
  }

  /** Asks the server to end, waits, and kills it when it takes too long. */
  async stop(): Promise<void> {
    if (this.hasExited) return;
    this.child.kill('SIGTERM');
    const timer = new AbortController();
    const inTime = await Promise.race([
      this.exited.then(() => true),
      delay(this.options.stopLimitMs ?? STOP_LIMIT_MS, false, { signal: timer.signal }),
    ]);
    timer.abort();
    if (!inTime) this.kill();
    await this.exited;
  }

  get pid(): number {
    return this.child.pid!;
  }

  /** What the server wrote last; for messages about failures. */
  get output(): string {
    return this.lastLines.join('\n');
  }

  /** At once and without asking; also the database, which has a session of its own and would go on. */
  readonly kill = (): void => {
    if (this.hasExited) return;
    sendSignal(-this.child.pid!, 'SIGKILL');
    const database = this.options.temporary ? databasePid(this.options.dataDir) : undefined;
    if (database) sendSignal(database, 'SIGQUIT');
  };

  private keep(line: string): void {
    this.url ??= ANSWERS_AT.exec(line)?.[1];
    this.lastLines.push(line);
    if (this.lastLines.length > KEPT_LINES) this.lastLines.shift();
  }
}

/** Its last lines may still be in the pipe when a process has ended, and a child of it may hold the pipe open. */
async function untilEnded(child: ChildProcess): Promise<void> {
  const drained = once(child, 'close').catch(() => undefined);
  await once(child, 'exit').catch(() => undefined);
  await Promise.race([drained, delay(LAST_LINES_MS, undefined, { ref: false })]);
}

function databasePid(dataDir: string): number | undefined {
  try {
    const file = join(dataDir, 'postgres', 'pgdata', 'postmaster.pid');
    const pid = Number.parseInt(readFileSync(file, 'utf8'), 10);
    return pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}

function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended already.
  }
}
