import { readFile } from 'node:fs/promises';
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { ExtractedDocument } from '../extracted-document.js';
import { isParseFailureCode, ParseFailure } from '../parse-failure.js';
import type { Frame } from './frames.js';
import { FILES_PER_PROCESS, ParserChild } from './parser-child.js';
import { type ParserConfig, parserSection } from './parsing.config.js';

export interface ParseInput {
  /** Where the bytes are; read by this process, the parser never sees the file system. */
  path: string;
  /** As the person named it. */
  filename: string;
  declaredType?: string;
  signal?: AbortSignal;
}

export interface Parsed {
  /** What the content is, whatever the name says. */
  mediaType: string;
  document: ExtractedDocument;
}

/** Reads files in processes of their own, so that a bad file costs at most its own reading. */
@Injectable()
export class SandboxedParser implements OnApplicationShutdown {
  private readonly idle: Worker[] = [];
  private readonly working = new Set<Worker>();
  private readonly waiting: (() => void)[] = [];
  private closed = false;

  constructor(@Inject(parserSection.token) private readonly config: ParserConfig) {}

  /**
   * Finds out what a file is and reads it.
   * @throws ParseFailure when it cannot be read, within the limits or at all
   * @throws the signal's reason when it aborts first
   */
  async parse({ path, filename, declaredType, signal }: ParseInput): Promise<Parsed> {
    signal?.throwIfAborted();
    const worker = await this.acquire(signal);
    const abort = () => worker.child.stop();
    signal?.addEventListener('abort', abort, { once: true });
    try {
      const file = await readFile(path);
      signal?.throwIfAborted();
      const { maxPages } = this.config;
      const request = { filename, declaredType, maxPages, maxOutputBytes: MAX_OUTPUT_BYTES };
      return resultOf(await worker.child.ask(request, file));
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    } finally {
      signal?.removeEventListener('abort', abort);
      await this.release(worker);
    }
  }

  /** How many processes there are, at work or resting. */
  get processes(): number {
    return this.idle.length + this.working.size;
  }

  /** Stops all processes. Files being read fail with `parser-crashed`. */
  async close(): Promise<void> {
    this.closed = true;
    const workers = [...this.idle.splice(0), ...this.working];
    for (const worker of workers) worker.stop();
    await Promise.all(workers.map((worker) => worker.child.ended));
    for (const proceed of this.waiting.splice(0)) proceed();
  }

  onApplicationShutdown(): Promise<void> {
    return this.close();
  }

  private async acquire(signal?: AbortSignal): Promise<Worker> {
    while (this.working.size >= this.config.processes && !this.closed) await this.turn(signal);
    if (this.closed) throw new ParseFailure('parser-crashed');
    const worker = this.takeIdle() ?? new Worker(this.config);
    worker.keep();
    this.working.add(worker);
    return worker;
  }

  private takeIdle(): Worker | undefined {
    let worker = this.idle.pop();
    while (worker && !worker.child.alive) {
      worker.stop();
      worker = this.idle.pop();
    }
    return worker;
  }

  /** Waits until some file was read, or rejects when the signal aborts. */
  private turn(signal?: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const abort = () => {
      remove(this.waiting, proceed);
      reject(signal!.reason as Error);
    };
    const proceed = () => {
      signal?.removeEventListener('abort', abort);
      resolve();
    };
    this.waiting.push(proceed);
    signal?.addEventListener('abort', abort, { once: true });
    return promise;
  }

  private async release(worker: Worker): Promise<void> {
    worker.files += 1;
    const resident = (await worker.child.residentBytes()) ?? 0;
    const hasRoom = resident < this.config.memoryMb * 1_048_576 * REUSE_SHARE;
    this.working.delete(worker);
    const reusable = worker.child.alive && worker.files < FILES_PER_PROCESS;
    if (!this.closed && reusable && hasRoom) this.rest(worker);
    else worker.stop();
    this.waiting.shift()?.();
  }

  private rest(worker: Worker): void {
    this.idle.push(worker);
    worker.stopAfter(this.config.idleMs, () => remove(this.idle, worker));
  }
}

/** A process with what the pool needs to know about it. */
class Worker {
  readonly child: ParserChild;
  files = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor({ memoryMb, timeoutMs }: ParserConfig) {
    this.child = new ParserChild({ memoryMb, timeoutMs, maxOutputBytes: MAX_OUTPUT_BYTES });
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

function resultOf({ head, body }: Frame): Parsed {
  const { failure, mediaType } = head;
  if (typeof failure === 'string')
    throw new ParseFailure(isParseFailureCode(failure) ? failure : 'parser-crashed');
  if (typeof mediaType !== 'string') throw new ParseFailure('parser-crashed');
  return { mediaType, document: JSON.parse(body.toString('utf8')) as ExtractedDocument };
}

/** A process that kept more than this of its memory is replaced. */
const REUSE_SHARE = 0.6;
/** Text and places of about 20,000 dense pages. */
const MAX_OUTPUT_BYTES = 64 * 1_048_576;
