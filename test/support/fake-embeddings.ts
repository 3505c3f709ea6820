import type { ServerResponse } from 'node:http';

/** How the embedder answers; a text has the same vector every time, and texts that share words are alike. */
export interface EmbeddingReply {
  latencyMs?: number;
  failure?: EmbeddingFailure;
  /** Of `status`. */
  status?: number;
  code?: string;
  retryAfter?: string;
  location?: string;
  /** Of `poisoned`: a batch in which any text has these words is refused. */
  poison?: string;
  /** Of `other-model`: the name it answers with. */
  model?: string;
}

export type EmbeddingFailure =
  | 'hang'
  | 'reset'
  | 'html'
  | 'redirect'
  | 'status'
  /** Half of a JSON document. */
  | 'garbage'
  /** One dimension less than was asked for. */
  | 'wrong-dimension'
  /** The last vector has a number that is none. */
  | 'nan'
  /** The last vector has no direction. */
  | 'zero'
  /** The last vector is missing. */
  | 'fewer'
  /** Last text first; every vector says truly which text it belongs to. */
  | 'reordered'
  /** Every vector says that it belongs to the first text. */
  | 'same-index'
  /** Another model answers, and says so. */
  | 'other-model'
  /** A certain text is refused, and with it the batch. */
  | 'poisoned';

export interface EmbeddingCall {
  model: string;
  input: string | string[];
  dimensions?: number;
  encoding_format?: 'float' | 'base64';
}

/** Of a model that is not asked for a certain size. */
export const FAKE_DIMENSIONS = 64;

export const textsOf = ({ input }: EmbeddingCall): string[] => (typeof input === 'string' ? [input] : input);

export const isPoisoned = (call: EmbeddingCall, { failure, poison = 'poison' }: EmbeddingReply): boolean =>
  failure === 'poisoned' && textsOf(call).some((text) => text.includes(poison));

/** 200 with vectors, and what is wrong with them. */
export function sendEmbeddings(response: ServerResponse, call: EmbeddingCall, reply: EmbeddingReply): void {
  const { failure } = reply;
  const dimensions = (call.dimensions ?? FAKE_DIMENSIONS) - (failure === 'wrong-dimension' ? 1 : 0);
  const rows = textsOf(call).map((text, index) => ({ index, vector: wordVector(text, dimensions) }));
  const last = rows.at(-1)!;
  if (failure === 'nan') last.vector[0] = NaN;
  if (failure === 'zero') last.vector.fill(0);
  if (failure === 'fewer') rows.pop();
  if (failure === 'reordered') rows.reverse();
  const body = JSON.stringify({
    object: 'list',
    model: failure === 'other-model' ? (reply.model ?? `${call.model}-v2`) : call.model,
    data: rows.map(({ index, vector }) => ({
      object: 'embedding',
      index: failure === 'same-index' ? 0 : index,
      embedding: call.encoding_format === 'base64' ? base64Of(vector) : [...vector],
    })),
    usage: { prompt_tokens: 8 * rows.length, total_tokens: 8 * rows.length },
  });
  response
    .writeHead(200, { 'content-type': 'application/json' })
    .end(failure === 'garbage' ? body.slice(0, body.length / 2) : body);
}

const base64Of = (vector: Float32Array) => Buffer.from(vector.buffer).toString('base64');

/** Not of length 1, as real embedders need not be either. */
function wordVector(text: string, dimensions: number): Float32Array {
  const vector = new Float32Array(dimensions).fill(0.05);
  for (const word of text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [])
    for (let i = 0; i < 8; i++) vector[hash(`${word}${i}`) % dimensions]! += i % 2 ? 1 : -1;
  return vector;
}

/** FNV-1a. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (const character of text) value = Math.imul(value ^ character.codePointAt(0)!, 0x01000193);
  return value >>> 0;
}
