import { createHash } from 'node:crypto';
import { appendFile, mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Embedder } from '../../apps/api/src/rag/providers/provider.js';

const KEY_BYTES = 16;

/** Keeps every vector in a file by the hash of its text, so that the second run takes no time. */
export class RememberingEmbedder extends Embedder {
  private readonly known = new Map<string, Float32Array>();
  private written = Promise.resolve();

  private constructor(
    private readonly inner: Embedder,
    private readonly file: string,
  ) {
    super();
  }

  static async open(inner: Embedder, file: string): Promise<RememberingEmbedder> {
    const embedder = new RememberingEmbedder(inner, file);
    await mkdir(dirname(file), { recursive: true });
    const bytes = await readFile(file).catch(() => Buffer.alloc(0));
    const record = KEY_BYTES + inner.dimensions * 4;
    // A run that was cut off may have left part of a record at the end.
    for (let at = 0; at + record <= bytes.length; at += record) {
      const vector = new Float32Array(Uint8Array.from(bytes.subarray(at + KEY_BYTES, at + record)).buffer);
      embedder.known.set(bytes.toString('hex', at, at + KEY_BYTES), vector);
    }
    return embedder;
  }

  get model(): string {
    return this.inner.model;
  }

  get dimensions(): number {
    return this.inner.dimensions;
  }

  async embed(texts: readonly string[], signal: AbortSignal): Promise<Float32Array[]> {
    const keys = texts.map((text) => this.keyOf(text));
    const missing = new Map<string, string>();
    keys.forEach((key, i) => {
      if (!this.known.has(key)) missing.set(key, texts[i]!);
    });
    if (missing.size > 0) {
      const vectors = await this.inner.embed([...missing.values()], signal);
      const records = [...missing.keys()].map((key, i) => {
        const vector = Float32Array.from(vectors[i]!);
        this.known.set(key, vector);
        return Buffer.concat([Buffer.from(key, 'hex'), Buffer.from(vector.buffer)]);
      });
      // One after the other, so that records never mix.
      this.written = this.written.then(() => appendFile(this.file, Buffer.concat(records)));
      await this.written;
    }
    return keys.map((key) => this.known.get(key)!);
  }

  private keyOf(text: string): string {
    const hash = createHash('sha256').update(`${this.model}\n${text}`).digest('hex');
    return hash.slice(0, KEY_BYTES * 2);
  }
}
