import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { getPriority, setPriority } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { ParseFailure, type ParseFailureCode } from '../parse-failure.js';
import { type Frame, FrameReader, sendFrame } from './frames.js';

export interface ChildLimits {
  memoryMb: number;
  /** For one answer. */
  timeoutMs: number;
  maxOutputBytes: number;
}

/** What runs in a process that reads what nobody vouches for. It speaks in frames, and says `{ ready: true }` first. */
export interface ChildProgram {
  /** Of the built program. */
  path: string;
  /** It loads machine code; what such code does, Node's permission model does not see. */
  addons?: boolean;
}

/** One such process. It answers one request at a time; after a failure of its own it is gone and must be replaced. */
export class SandboxedChild {
  private readonly process: ChildProcess;
  private readonly answers: FrameReader;
  private pending: PromiseWithResolvers<Frame> | undefined;
  private stoppedBecause: ParseFailureCode | undefined;
  private lastWords = '';
  /** Resident memory when it was last looked at, in bytes; 0 when it never worked for long enough to be. */
  residentBytes = 0;
  private peakBytes = 0;
  private readonly ready: Promise<Frame>;
  /** Resolves when the process has ended. */
  readonly ended: Promise<void>;

  constructor(
    private readonly limits: ChildLimits,
    program: ChildProgram,
    niceness = 0,
  ) {
    this.answers = new FrameReader(limits.maxOutputBytes);
    this.process = start(limits, program);
    yieldTo(this.process.pid, niceness);
    this.ended = new Promise((resolve) => this.process.once('close', () => resolve()));
    this.pending = Promise.withResolvers();
    this.ready = this.pending.promise;
    this.ready.catch(() => undefined);
    this.listen();
  }

  get pid(): number | undefined {
    return this.process.pid;
  }

  get alive(): boolean {
    return (
      this.stoppedBecause === undefined && this.process.exitCode === null && this.process.signalCode === null
    );
  }

  /** The most resident memory that was seen since this was last asked, in bytes; 0 when none was. */
  takePeakBytes(): number {
    const peak = this.peakBytes;
    this.peakBytes = 0;
    return peak;
  }

  /** Sends a request with its bytes and waits for the answer. @throws ParseFailure */
  async ask(request: object, bytes: Uint8Array | readonly Uint8Array[] = []): Promise<Frame> {
    const started = setTimeout(() => this.stop('parser-crashed'), START_LIMIT_MS);
    await this.ready.finally(() => clearTimeout(started));
    this.pending = Promise.withResolvers();
    const { promise } = this.pending;
    const timer = setTimeout(() => this.stop('parse-timeout'), this.limits.timeoutMs);
    const watch = setInterval(() => void this.checkMemory(), MEMORY_CHECK_MS);
    try {
      sendFrame(this.process.stdin as Writable, { ...request }, bytes);
      return await promise;
    } finally {
      clearTimeout(timer);
      clearInterval(watch);
    }
  }

  /** Kills the process; who waits for an answer gets this failure. */
  stop(because: ParseFailureCode = 'parser-crashed'): void {
    this.stoppedBecause ??= because;
    this.process.ref();
    this.process.kill('SIGKILL');
  }

  private listen(): void {
    const { stdin, stdout, stderr } = this.process as ChildProcess & {
      stdin: Writable;
      stdout: Readable;
      stderr: Readable;
    };
    stdout.on('data', (chunk: Buffer) => {
      try {
        for (const frame of this.answers.read(chunk)) this.pending?.resolve(frame);
      } catch {
        this.stop('too-complex');
      }
    });
    // Kept only to tell why the process ended, never logged: it may hold text of the document.
    stderr.on(
      'data',
      (chunk: Buffer) => (this.lastWords = (this.lastWords + chunk.toString('latin1')).slice(-2_000)),
    );
    stdin.on('error', () => undefined);
    // A resting process does not keep the service from ending; one at work is kept by its timers.
    for (const pipe of [stdin, stdout, stderr] as unknown as Socket[]) pipe.unref();
    this.process.unref();
    this.process.once('error', () => this.pending?.reject(new ParseFailure('parser-crashed')));
    this.process.once('close', (_, signal) => {
      this.stoppedBecause ??= this.causeOfDeath(signal);
      this.pending?.reject(new ParseFailure(this.stoppedBecause));
    });
  }

  private causeOfDeath(signal: NodeJS.Signals | null): ParseFailureCode {
    if (signal === 'SIGXCPU') return 'parse-timeout';
    return /heap|out of memory|allocation failed/i.test(this.lastWords) ? 'parse-memory' : 'parser-crashed';
  }

  /** V8's own limit covers neither buffers nor what native code takes, so the whole process is watched. */
  private async checkMemory(): Promise<void> {
    const statm = await readFile(`/proc/${this.process.pid}/statm`, 'utf8').catch(() => undefined);
    if (statm === undefined) return;
    this.residentBytes = Number(statm.split(' ')[1]) * PAGE_BYTES;
    this.peakBytes = Math.max(this.peakBytes, this.residentBytes);
    if (this.residentBytes > this.limits.memoryMb * MEGABYTE) this.stop('parse-memory');
  }
}

function start({ memoryMb, timeoutMs }: ChildLimits, { path, addons }: ChildProgram): ChildProcess {
  const root = projectRoot();
  // A checkout may link its modules from elsewhere; Node asks for the place that a link leads to.
  const code = ['dist', 'node_modules', 'package.json'].map((name) => join(root, name));
  const readable = new Set([...code, ...code.map((place) => realpathSync(place)), path]);
  const node = [
    process.execPath,
    `--max-old-space-size=${Math.floor(memoryMb * HEAP_SHARE)}`,
    '--expose-gc',
    '--permission',
    ...[...readable].map((place) => `--allow-fs-read=${place}`),
    ...(addons ? ['--allow-addons'] : []),
    '--no-warnings',
    path,
  ];
  // The limits of the system hold even if this process dies and cannot watch any more.
  const cpuSeconds = Math.ceil((timeoutMs / 1_000) * TIMEOUTS_PER_PROCESS);
  const limits = `ulimit -c 0; ulimit -f 0; ulimit -t ${cpuSeconds}; exec "$0" "$@"`;
  const [command, ...args] = existsSync(SHELL) ? [SHELL, '-c', limits, ...node] : node;
  const child = spawn(command!, args, { cwd: root, env: {}, stdio: ['pipe', 'pipe', 'pipe'] });
  return child;
}

/** Before it has threads, which each have what the one that started them had. */
function yieldTo(pid: number | undefined, niceness: number): void {
  try {
    // From where this process stands: nobody but root may raise what starts low.
    if (pid !== undefined && niceness > 0)
      setPriority(pid, Math.min(LEAST_PRIORITY, getPriority() + niceness));
  } catch {
    // It has ended already, or the system has no such thing.
  }
}

/**
 * Where the build of a program is: Node runs no TypeScript with our imports, and tests build before they start.
 * @param name its path in the folder `ingestion`, without ending
 */
export function builtProgram(name: string): string {
  return join(projectRoot(), 'dist/apps/api/src/ingestion', `${name}.js`);
}

/** Where `package.json` is, for sources and for their build alike. */
function projectRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) {
    if (folder === dirname(folder)) throw new Error('package.json was not found above the sandbox');
    folder = dirname(folder);
  }
  return folder;
}

/** So many times the longest answer is the processor time that the system lets a process have. */
export const TIMEOUTS_PER_PROCESS = 50;

const LEAST_PRIORITY = 19;
const SHELL = '/bin/sh';
const START_LIMIT_MS = 30_000;
const MEMORY_CHECK_MS = 50;
const MEGABYTE = 1_048_576;
const PAGE_BYTES = 4_096;
/** Of the memory allowed, for JavaScript objects; the rest is for buffers and the program itself. */
const HEAP_SHARE = 0.7;
