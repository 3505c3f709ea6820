import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Piscina } from 'piscina';
import { TransientFailure } from '#libs/errors';
import { type Batch, BatchQueue, batchesOf } from './batch-queue.js';
import { type EmbedderConfig, LOCAL_DIMENSIONS } from './embedder.config.js';
import type { EmbeddedBatch } from './local-embedder.worker.js';
import { Embedder } from './provider.js';

/**
 * Embeds on this machine, without a network: the "Universal Sentence Encoder lite" out of an npm package, English,
 * 512 dimensions. It reads about the first 128 tokens (90 words) of a text and ignores the rest.
 *
 * The model runs in threads that start with the first text and stop when there is nothing to do. Work is cut into
 * batches that take a tenth of a second or so, and one or two texts together count as a question: they go before
 * what is waiting. An abort takes back what has not begun; what has is finished and thrown away, because ending a
 * thread in the middle would cost the next text the loading of the model.
 *
 * @throws TransientFailure from `embed` when a thread died, hung, or too much is waiting
 */
@Injectable()
export class LocalEmbedder extends Embedder implements OnApplicationShutdown {
  readonly model = 'use-lite-en-1';
  readonly dimensions = LOCAL_DIMENSIONS;
  override readonly concurrency: number;

  private pool: Piscina<string[], EmbeddedBatch> | undefined;
  private readonly queue = new BatchQueue();
  private running = 0;
  private closed = false;

  constructor(private readonly config: Pick<EmbedderConfig, 'threads' | 'idleMs'>) {
    super();
    this.concurrency = config.threads;
  }

  async embed(texts: readonly string[], signal: AbortSignal): Promise<Float32Array[]> {
    signal.throwIfAborted();
    if (texts.some((text) => text.trim() === ''))
      throw new Error('There is nothing to embed in an empty text');
    const read = texts.map((text) => text.slice(0, MAX_CHARS));
    const batches = batchesOf(read, BATCH_LIMITS);
    if (this.queue.size + batches.length > MAX_WAITING)
      throw new TransientFailure('too many texts are waiting to be embedded');

    const urgent = texts.length <= QUESTION_TEXTS;
    const work = batches.map((positions) =>
      this.enqueue(
        positions.map((i) => read[i]!),
        urgent,
      ),
    );
    // When one batch fails, the others are of no use any more.
    const takeBack = (reason: unknown) => {
      for (const { batch } of work) {
        this.queue.remove(batch);
        batch.reject(reason);
      }
    };
    const onAbort = () => takeBack(signal.reason);
    signal.addEventListener('abort', onAbort);
    try {
      const rows = (await Promise.all(work.map(({ done }) => done))).flat();
      const vectors = new Array<Float32Array>(texts.length);
      batches.flat().forEach((position, at) => (vectors[position] = rows[at]!));
      return vectors;
    } catch (error) {
      takeBack(error);
      throw error;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** After the last request was answered: questions under way still need it. */
  async onApplicationShutdown(): Promise<void> {
    this.closed = true;
    for (let batch = this.queue.take(); batch; batch = this.queue.take()) batch.reject(stopping());
    await this.pool?.destroy();
  }

  private enqueue(texts: string[], urgent: boolean): { batch: Batch; done: Promise<Float32Array[]> } {
    const { promise, resolve, reject } = Promise.withResolvers<Float32Array[]>();
    const batch: Batch = { texts, urgent, resolve, reject };
    this.queue.add(batch);
    this.startNext();
    return { batch, done: promise };
  }

  private startNext(): void {
    if (this.running >= this.config.threads) return;
    const batch = this.queue.take();
    if (!batch) return;
    this.running += 1;
    this.compute(batch.texts)
      .then(batch.resolve, batch.reject)
      .finally(() => {
        this.running -= 1;
        this.startNext();
      });
  }

  private async compute(texts: string[]): Promise<Float32Array[]> {
    if (this.closed) throw stopping();
    this.pool ??= new Piscina({
      filename: join(projectRoot(), WORKER),
      name: 'embedBatch',
      minThreads: 0,
      maxThreads: this.config.threads,
      idleTimeout: this.config.idleMs,
    });
    const result = await this.pool
      .run(texts, { signal: AbortSignal.timeout(BATCH_TIMEOUT_MS) })
      .catch((cause: unknown) => {
        throw new TransientFailure('the embedding thread failed', { cause });
      });
    if ('refused' in result)
      throw new Error('The files of the embedding model are not the ones this program was made with');
    return texts.map((_, i) => result.vectors.slice(i * this.dimensions, (i + 1) * this.dimensions));
  }
}

const stopping = () => new TransientFailure('the embedder is stopping');

/** Where `package.json` is, for sources and for their build alike. */
function projectRoot(): string {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, 'package.json'))) {
    if (folder === dirname(folder)) throw new Error('package.json was not found above the embedder');
    folder = dirname(folder);
  }
  return folder;
}

/** A thread needs plain JavaScript, so tests use the build as well. */
const WORKER = 'dist/apps/api/src/rag/providers/local-embedder.worker.js';
/** More than 128 tokens of any English; the tokenizer's time grows faster than the text. */
const MAX_CHARS = 1_500;
/** A tenth of a second: one long passage, or eight questions. Larger batches were not faster. */
const BATCH_LIMITS = { maxTexts: 8, maxChars: 700 };
const QUESTION_TEXTS = 2;
const MAX_WAITING = 10_000;
/** With the loading of the model on a busy machine. */
const BATCH_TIMEOUT_MS = 20_000;
