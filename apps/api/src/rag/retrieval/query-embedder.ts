import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { CallOptions } from '#libs/resilience';
import type { Embedder } from '../providers/provider.js';

/** The part of a policy that is needed here. */
export interface CallPolicy {
  execute<T>(call: (signal: AbortSignal) => Promise<T>, options?: CallOptions): Promise<T>;
}

/** The part of a cache that is needed here: gives what it has, or what is loaded, once for all who ask meanwhile. */
export interface TextCache {
  wrap(
    key: string,
    load: (signal: AbortSignal) => Promise<string>,
    options: { signal: AbortSignal },
  ): Promise<string>;
}

/** Embeds questions, and remembers them: people ask the same things, also at the same moment. */
export class QueryEmbedder {
  /** @param cache of vectors as `vectorText` describes them */
  constructor(
    private readonly embedder: Embedder,
    private readonly policy: CallPolicy,
    private readonly cache: TextCache,
  ) {}

  get model(): string {
    return this.embedder.model;
  }

  /** @throws DependencyUnavailable, DependencyTimeout, and the signal's reason */
  async embed(query: string, signal: AbortSignal): Promise<Float32Array> {
    const text = query.normalize('NFKC').replace(/\s+/g, ' ').trim();
    const key = createHash('sha256').update(`${this.embedder.model}\n${text}`).digest('base64url');
    return fromText(await this.cache.wrap(key, (shared) => this.compute(text, shared), { signal }));
  }

  private async compute(text: string, signal: AbortSignal): Promise<string> {
    const [vector] = await this.policy.execute((limit) => this.embedder.embed([text], limit), {
      signal,
      timeoutMs: QUESTION_TIMEOUT_MS,
      operation: 'embed-question',
      idempotent: true,
    });
    if (!vector) throw new Error(`${this.embedder.model} gave no vector`);
    return toText(vector);
  }
}

/** What a cache may hold: anything else than a vector of so many dimensions is not one of this model. */
export const vectorText = (dimensions: number) =>
  z.base64().refine((text) => Buffer.byteLength(text, 'base64') === dimensions * BYTES_PER_DIMENSION);

const BYTES_PER_DIMENSION = Float32Array.BYTES_PER_ELEMENT;

/** Without its vector a question is still answered by its words; the policy's own limit is for batches of passages. */
const QUESTION_TIMEOUT_MS = 5_000;

/** A cache may be outside the process and keeps text. */
const toText = (vector: Float32Array) =>
  Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString('base64');

function fromText(text: string): Float32Array {
  const bytes = Uint8Array.from(Buffer.from(text, 'base64'));
  return new Float32Array(bytes.buffer);
}
