import { Logger } from '@nestjs/common';
import { checkedVectors, EmbedderMisbehaved, type GivenVector } from './checked-vectors.js';
import { Embedder } from './provider.js';
import { ProviderClient } from './provider-client.js';
import { ProviderFailure } from './provider-failure.js';

/** Which model, by its own word, the stored vectors of a model are of. */
export interface VectorOrigins {
  /** What was reported first for this model, now or earlier, here or on another replica. */
  firstReported(model: string, reported: string): Promise<string>;
}

export interface OpenAiEmbedderOptions {
  /** In messages and in the name of the model: `openai` or `compatible`. */
  provider: string;
  /** The provider's own name of the model. */
  model: string;
  dimensions: number;
  /** Calls at the same time. */
  concurrency?: number;
  baseUrl: string;
  apiKey: string;
  /** Whether the provider is told the dimensions: some know the parameter, others refuse it. */
  sendsDimensions: boolean;
  encoding: 'float' | 'base64';
}

/**
 * Embeds behind OpenAI's protocol: OpenAI itself, or any server that speaks it. A provider may put another model behind
 * the same name, whose vectors are not comparable with those that are stored; one that says so is not used any more.
 *
 * @throws EmbedderMisbehaved, ProviderFailure, Overloaded, FatalFailure; ModelRejected and ContextTooLong when a text
 * is refused
 */
export class OpenAiEmbedder extends Embedder {
  /** Vectors of another size are vectors of another model. */
  readonly model: string;
  readonly dimensions: number;
  override readonly concurrency: number;
  private readonly logger = new Logger(OpenAiEmbedder.name);
  private readonly client: ProviderClient;
  private origin?: string;

  constructor(
    private readonly options: OpenAiEmbedderOptions,
    private readonly origins: VectorOrigins,
  ) {
    super();
    const { provider, model, dimensions, baseUrl, apiKey } = options;
    this.model = `${provider}:${model}:${dimensions}`;
    this.dimensions = dimensions;
    this.concurrency = options.concurrency ?? 1;
    const maxBytes = MAX_TEXTS * dimensions * LONGEST_NUMBER + 65_536;
    this.client = new ProviderClient({ name: this.model, baseUrl, apiKey, maxBytes });
  }

  async embed(texts: readonly string[], signal: AbortSignal): Promise<Float32Array[]> {
    const vectors: Float32Array[] = [];
    for (let at = 0; at < texts.length; at += MAX_TEXTS)
      vectors.push(...(await this.embedBatch(texts.slice(at, at + MAX_TEXTS), signal)));
    return vectors;
  }

  override ping(signal: AbortSignal): Promise<void> {
    return this.client.ping(signal);
  }

  private async embedBatch(texts: readonly string[], signal: AbortSignal): Promise<Float32Array[]> {
    const { model, dimensions, sendsDimensions, encoding } = this.options;
    const answer = await this.client.post(
      '/embeddings',
      {
        model,
        input: texts.map((text) => text.slice(0, MAX_CHARS)),
        encoding_format: encoding,
        ...(sendsDimensions && { dimensions }),
      },
      signal,
    );
    const vectors = checkedVectors(this.model, vectorsIn(this.model, answer), {
      count: texts.length,
      dimensions,
    });
    await this.checkOrigin(answer);
    return vectors;
  }

  /** After the vectors were checked, so that only a model that works can be the first. */
  private async checkOrigin(answer: unknown): Promise<void> {
    const { model, system_fingerprint: fingerprint } = answer as Record<string, unknown>;
    const reported = [model, fingerprint]
      .filter((part) => typeof part === 'string')
      .join(' ')
      .slice(0, 200);
    this.origin ??= await this.origins.firstReported(this.model, reported);
    if (reported === this.origin) return;
    this.logger.error(
      { model: this.model },
      'the embedder says that it is another model than the one whose vectors are stored; give it a name of its own',
    );
    throw new EmbedderMisbehaved(this.model, 'model-changed');
  }
}

/** @throws ProviderFailure for what is no list of vectors */
function vectorsIn(embedder: string, answer: unknown): GivenVector[] {
  const malformed = () => new ProviderFailure('malformed', `${embedder} sent no list of vectors`);
  const { data } = (answer ?? {}) as { data?: unknown };
  if (!Array.isArray(data)) throw malformed();
  return data.map((item: unknown) => {
    const { index, embedding } = (item ?? {}) as { index?: unknown; embedding?: unknown };
    if (typeof index !== 'number') throw malformed();
    if (Array.isArray(embedding)) return { index, values: embedding };
    if (typeof embedding === 'string') return { index, values: floatsIn(embedding) };
    throw malformed();
  });
}

/** Single floats, little-endian. Copied, because a view must start at an address that is a multiple of four. */
function floatsIn(base64: string): Float32Array {
  // Copied, because a view of floats must start at a multiple of four.
  const bytes = new Uint8Array(Buffer.from(base64, 'base64'));
  return new Float32Array(bytes.buffer, 0, Math.floor(bytes.length / 4));
}

const MAX_TEXTS = 128;
/** Below 8,191 tokens of any text; no passage or question is nearly as long. */
const MAX_CHARS = 8_000;
/** Of a number as JSON. */
const LONGEST_NUMBER = 32;
