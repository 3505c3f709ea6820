import { basename } from 'node:path';
import { ParseFailure } from '../parse-failure.js';
import {
  type ChildLimits,
  type ChildProgram,
  SandboxedChild,
  TIMEOUTS_PER_PROCESS,
} from './sandboxed-child.js';
import { childPeakBytes } from './sandbox.metrics.js';

export interface PoolOptions extends ChildLimits {
  program: ChildProgram;
  /** At the same time; one more for an owner who has none. */
  processes: number;
  /** A process without work is stopped after this long. */
  idleMs: number;
}

/** Whose work it is, and how it is done. */
export interface RunOptions {
  /** Which of the resting processes the work would rather have. */
  prefers?: (child: SandboxedChild) => boolean;
  /** When many wait, it is the turn of the one for whom fewest processes work. */
  owner?: string;
  /** It is one of very many: a process of its own kind does it, which the system lets work when no other would. */
  isPatient?: boolean;
}

/** Processes of one program, as many as there is work for and not more than are allowed. */
export class ChildPool {
  private readonly idle: Worker[] = [];
  private readonly working = new Set<Worker>();
  private readonly waiting: { owner: string | undefined; proceed: () => void }[] = [];
  private closed = false;

  constructor(private readonly options: PoolOptions) {}

  /**
   * Gives a process to some work that asks it at most a few times, and kills it when the signal aborts.
   * @throws ParseFailure `parser-crashed` when the pool is closed, and what the work throws
   * @throws the signal's reason when it aborts first
   */
  async run<T>(
    work: (child: SandboxedChild) => Promise<T>,
    signal?: AbortSignal,
    options: RunOptions = {},
  ): Promise<T> {
    signal?.throwIfAborted();
    const worker = await this.acquire(options, signal);
    const abort = () => worker.child.stop();
    signal?.addEventListener('abort', abort, { once: true });
    try {
      // It may have aborted while a process was found, when nobody listened.
      signal?.throwIfAborted();
      return await work(worker.child);
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    } finally {
      signal?.removeEventListener('abort', abort);
      this.release(worker);
    }
  }

  /** How many processes there are, at work or resting. */
  get processes(): number {
    return this.idle.length + this.working.size;
  }

  /** Stops all processes. What they work on fails with `parser-crashed`. */
  async close(): Promise<void> {
    this.closed = true;
    const workers = [...this.idle.splice(0), ...this.working];
    for (const worker of workers) worker.stop();
    await Promise.all(workers.map((worker) => worker.child.ended));
    for (const { proceed } of this.waiting.splice(0)) proceed();
  }

  private async acquire(options: RunOptions, signal?: AbortSignal): Promise<Worker> {
    const { owner } = options;
    while (!this.hasRoomFor(owner) && !this.closed) await this.turn(signal, owner);
    if (this.closed) throw new ParseFailure('parser-crashed');
    const worker = this.takeIdle(options) ?? this.start(options);
    worker.keep();
    worker.owner = owner;
    worker.takenAtMs = performance.now();
    this.working.add(worker);
    return worker;
  }

  private takeIdle({ prefers, isPatient = false }: RunOptions): Worker | undefined {
    for (const dead of this.idle.filter(({ child }) => !child.alive)) {
      dead.stop();
      remove(this.idle, dead);
    }
    const fitting = this.idle.filter((worker) => worker.isPatient === isPatient);
    const worker = fitting.findLast(({ child }) => prefers?.(child)) ?? fitting.at(-1);
    if (worker) remove(this.idle, worker);
    return worker;
  }

  /** In the place of the one that has rested longest, when there are as many as there may be. */
  private start({ isPatient = false }: RunOptions): Worker {
    if (this.processes > this.options.processes) this.idle.shift()?.stop();
    return new Worker(this.options, isPatient);
  }

  /** Waits until some work is done, or rejects when the signal aborts. */
  private turn(signal?: AbortSignal, owner?: string): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const abort = () => {
      remove(this.waiting, waiter);
      reject(signal!.reason as Error);
    };
    const proceed = () => {
      signal?.removeEventListener('abort', abort);
      resolve();
    };
    const waiter = { owner, proceed };
    this.waiting.push(waiter);
    signal?.addEventListener('abort', abort, { once: true });
    return promise;
  }

  private release(worker: Worker): void {
    worker.uses += 1;
    worker.workedMs += performance.now() - worker.takenAtMs;
    const { memoryMb, timeoutMs } = this.options;
    const program = basename(this.options.program.path, '.js');
    const peak = worker.child.takePeakBytes();
    if (peak > 0) childPeakBytes.observe({ program }, peak);
    const hasRoom = worker.child.residentBytes < memoryMb * 1_048_576 * REUSE_SHARE;
    const isFresh = worker.uses < MAX_USES && worker.workedMs < timeoutMs * TIMEOUTS_PER_PROCESS * WORK_SHARE;
    this.working.delete(worker);
    const reusable = worker.child.alive && isFresh;
    if (!this.closed && reusable && hasRoom) this.rest(worker);
    else worker.stop();
    this.callNext();
  }

  /** Somebody for whom no process works gets one more, rather than wait for a large file of somebody else. */
  private hasRoomFor(owner: string | undefined): boolean {
    const { processes } = this.options;
    const isNew = owner !== undefined && this.workingFor(owner) === 0;
    return this.working.size < (isNew ? processes + 1 : processes);
  }

  private workingFor(owner: string | undefined): number {
    return [...this.working].filter((worker) => worker.owner === owner).length;
  }

  private callNext(): void {
    const [next] = this.waiting.toSorted((a, b) => this.workingFor(a.owner) - this.workingFor(b.owner));
    if (!next || !this.hasRoomFor(next.owner)) return;
    remove(this.waiting, next);
    next.proceed();
  }

  private rest(worker: Worker): void {
    this.idle.push(worker);
    worker.stopAfter(this.options.idleMs, () => remove(this.idle, worker));
  }
}

/** A process with what the pool needs to know about it. */
class Worker {
  readonly child: SandboxedChild;
  uses = 0;
  workedMs = 0;
  takenAtMs = 0;
  owner: string | undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    options: PoolOptions,
    readonly isPatient: boolean,
  ) {
    this.child = new SandboxedChild(options, options.program, isPatient ? PATIENT : PROMPT);
  }

  stopAfter(idleMs: number, forget: () => void): void {
    this.timer = setTimeout(() => {
      forget();
      this.stop();
    }, idleMs);
    this.timer.unref();
  }

  keep(): void {
    clearTimeout(this.timer);
  }

  stop(): void {
    this.keep();
    this.child.stop();
  }
}

/** What is not there is not removed: `splice` would take the last one instead. */
function remove<T>(list: T[], item: T): void {
  const index = list.indexOf(item);
  if (index >= 0) list.splice(index, 1);
}

/** Those who ask questions come first, and so do the other steps of small documents: a third of what they get. */
const PROMPT = 5;
/** Less than a tenth of what the others get, when they want it. */
const PATIENT = 15;
/**
 * After so many requests a process is replaced, so that nothing that leaks or lingers lasts. Starting one, with all that it
 * loads on the way, takes as much processor time as reading five hundred small files.
 */
const MAX_USES = 2_000;
/** Of the processor time that it may have, most of which goes by at work. Twice as many threads may use it up. */
const WORK_SHARE = 0.4;
/** A process that kept more than this of its memory is replaced. */
const REUSE_SHARE = 0.6;
