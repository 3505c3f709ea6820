/**
 * Outside services behind interfaces. An adapter translates, nothing else: it throws `TransientFailure` for what
 * may pass by itself and a plain error for what will not; policies are put around it by the registry.
 */
export abstract class Embedder {
  abstract readonly model: string;
  abstract readonly dimensions: number;
  /** One vector of length 1 (L2) for each text, in order. Texts are never empty. */
  abstract embed(texts: readonly string[], signal: AbortSignal): Promise<Float32Array[]>;
}

export interface ChatMessage {
  role: 'system' | 'user' | 'assistant';
  content: string;
}

export interface ChatRequest {
  messages: ChatMessage[];
  maxTokens: number;
}

export interface TokenUsage {
  inputTokens: number;
  outputTokens: number;
}

export type ChatEvent = { type: 'text'; text: string } | { type: 'end'; usage: TokenUsage | null };

export interface ChatModel {
  /** `provider:model`, as in `CHAT_MODELS`; names the policy and appears in `served_by`. */
  readonly name: string;
  /**
   * The answer as it is written: `text` events, then exactly one `end`. A stream that breaks off without its
   * explicit finish throws `TransientFailure`; it never just ends.
   */
  stream(request: ChatRequest, signal: AbortSignal): AsyncIterable<ChatEvent>;
}
