import { createHash } from 'node:crypto';
import { type CallOptions, SingleFlight } from '#libs/resilience';
import type { Embedder } from '../providers/provider.js';

/** The part of a policy that is needed here. */
export interface CallPolicy {
  execute<T>(call: (signal: AbortSignal) => Promise<T>, options?: CallOptions): Promise<T>;
}

/** The part of a cache that is needed here; a failing cache is a miss. */
export interface TextCache {
  get(key: string): Promise<string | undefined>;
  set(key: string, value: string): Promise<void>;
}

/** Embeds questions, and remembers them: people ask the same things, also at the same moment. */
export class QueryEmbedder {
  private readonly underWay = new SingleFlight<Float32Array>();

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
    return this.underWay.run(key, (shared) => this.findOrCompute(key, text, shared), signal);
  }

  private async findOrCompute(key: string, text: string, signal: AbortSignal): Promise<Float32Array> {
    const known = fromText((await this.cache.get(key)) ?? '');
    // What is anything else than a vector of this model counts as unknown.
    if (known.length === this.embedder.dimensions) return known;
    const [vector] = await this.policy.execute((limit) => this.embedder.embed([text], limit), {
      signal,
      operation: 'embed-question',
      idempotent: true,
    });
    if (!vector) throw new Error(`${this.embedder.model} gave no vector`);
    await this.cache.set(key, toText(vector));
    return vector;
  }
}

/** A cache may be outside the process and keeps text. */
const toText = (vector: Float32Array) =>
  Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString('base64');

function fromText(text: string): Float32Array {
  const bytes = Uint8Array.from(Buffer.from(text, 'base64'));
  return new Float32Array(bytes.buffer, 0, Math.floor(bytes.length / 4));
}
