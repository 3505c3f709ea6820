/**
 * Outside services behind interfaces. An adapter translates, nothing else: it throws `TransientFailure` (`Overloaded`,
 * `FatalFailure`) for what is wrong with the service and `ModelRejected` for what is wrong with the request; policies
 * are put around it by the registry.
 */
export abstract class Embedder {
  abstract readonly model: string;
  abstract readonly dimensions: number;
  /** How many calls of `embed` get on at the same time: more would only wait for each other. */
  readonly concurrency: number = 1;
  /** One vector of length 1 (L2) for each text, in order. Texts are never empty. */
  abstract embed(texts: readonly string[], signal: AbortSignal): Promise<Float32Array[]>;
  /** Resolves when it is there and lets us in. Costs nothing. */
  ping?(signal: AbortSignal): Promise<void>;
}

export interface ChatMessage {
  role: 'system' | 'user' | 'assistant';
  content: string;
}

export interface ChatRequest {
  messages: ChatMessage[];
  maxTokens: number;
  /** The answer is JSON of this form. Providers promise that where they can; who reads it checks it nevertheless. */
  schema?: AnswerSchema;
}

export interface AnswerSchema {
  /** Letters, digits and underscores. */
  name: string;
  /** A JSON schema in which every property is required and no other is allowed, as providers demand. */
  schema: Record<string, unknown>;
}

export interface TokenUsage {
  inputTokens: number;
  outputTokens: number;
}

export type ChatEvent =
  | { type: 'text'; text: string }
  /** `length`: the answer was cut off, by the model's limit of tokens or by ours of size. */
  | { type: 'end'; usage: TokenUsage | null; finishReason?: 'length' };

export interface ChatModel {
  /** `provider:model`, as in `CHAT_MODELS`; names the policy and appears in `served_by`. */
  readonly name: string;
  /**
   * The answer as it is written: `text` events, then exactly one `end`. A stream that breaks off without its
   * explicit finish throws `TransientFailure`; it never just ends.
   */
  stream(request: ChatRequest, signal: AbortSignal): AsyncIterable<ChatEvent>;
  /** Resolves when the provider is there and lets us in. Costs no tokens. */
  ping?(signal: AbortSignal): Promise<void>;
}
