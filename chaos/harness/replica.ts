import { closeSync, openSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort, PROGRAM, type ProgramProcess, spawnProgram } from '../../test/support/program-process.js';

export interface ReplicaOptions {
  name: string;
  environment: Record<string, string>;
  /** Gets the program's log, of all its lives. */
  logPath: string;
  nodeArgs?: string[];
}

/** A line of /proc/net/tcp: slot, local address, remote address, state (01 is established). */
const ESTABLISHED_AT = (port: string) => new RegExp(`^\\s*\\d+: [0-9A-F]{8}:${port} [0-9A-F:]+ 01 `);
/** As in `npm start`. */
const HEAP_FLAG = '--max-semi-space-size=4';
const START_LIMIT_MS = 60_000;

/** One process of the real program, always at the same address. */
export class Replica {
  private running?: ProgramProcess;

  private constructor(
    private readonly options: ReplicaOptions,
    private readonly port: number,
  ) {}

  static async start(options: ReplicaOptions): Promise<Replica> {
    const replica = new Replica(options, await freePort());
    await replica.startAgain();
    return replica;
  }

  get name(): string {
    return this.options.name;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get pid(): number {
    return this.running!.child.pid!;
  }

  get logPath(): string {
    return this.options.logPath;
  }

  /** Resolves with the exit code; null after a signal that it did not handle. */
  get exit(): Promise<number | null> {
    return this.running!.exit;
  }

  get isRunning(): boolean {
    const child = this.running?.child;
    return child !== undefined && child.exitCode === null && child.signalCode === null;
  }

  /** @throws when it ends or says nothing for a minute */
  async startAgain(): Promise<void> {
    const { environment, nodeArgs = [], logPath } = this.options;
    const logFile = openSync(logPath, 'a');
    try {
      this.running = spawnProgram(
        { LOG_LEVEL: 'info', ...environment, PORT: String(this.port) },
        { args: [HEAP_FLAG, ...nodeArgs, PROGRAM], logFile },
      );
    } finally {
      closeSync(logFile);
    }
    const limit = new AbortController();
    const late = delay(START_LIMIT_MS, undefined, { signal: limit.signal }).then(() => {
      throw new Error(`${this.name} did not start within a minute:\n${this.announced}`);
    });
    late.catch(() => undefined);
    await Promise.race([this.running.url, late]);
    limit.abort();
  }

  signal(signal: NodeJS.Signals): void {
    if (this.isRunning) this.running!.child.kill(signal);
  }

  /** What it wrote to standard error. */
  get announced(): string {
    return this.running!.announced();
  }

  /** In order; by force after half a minute. */
  async stop(): Promise<void> {
    if (!this.isRunning) return;
    this.signal('SIGCONT');
    this.signal('SIGTERM');
    const force = setTimeout(() => this.signal('SIGKILL'), 31_000);
    await this.exit;
    clearTimeout(force);
  }

  /** Without the connections of clients, which they keep for as long as they like. */
  async openFiles(): Promise<number> {
    const files = await readdir(`/proc/${this.pid}/fd`);
    return files.length - (await this.clientConnections());
  }

  /** All of them. */
  async allOpenFiles(): Promise<number> {
    return (await readdir(`/proc/${this.pid}/fd`)).length;
  }

  private async clientConnections(): Promise<number> {
    const port = this.port.toString(16).toUpperCase().padStart(4, '0');
    const table = await readFile(`/proc/${this.pid}/net/tcp`, 'utf8');
    return table.split('\n').filter((line) => ESTABLISHED_AT(port).test(line)).length;
  }

  /** Resident memory, in bytes. */
  async memory(): Promise<number> {
    const status = await readFile(`/proc/${this.pid}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)![1]) * 1_024;
  }
}
