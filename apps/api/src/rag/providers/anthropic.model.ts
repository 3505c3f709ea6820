import type { Anthropic } from '@anthropic-ai/sdk';
import type { ChatEvent, ChatModel, ChatRequest } from './provider.js';
import { ModelRejected, providerFailure } from './provider-failure.js';
import { type StreamLimits, withinLimits } from './stream-limits.js';

export interface AnthropicModelOptions {
  /** The provider's own name of the model. */
  model: string;
  baseUrl: string;
  apiKey: string;
  limits: StreamLimits;
}

/** A model behind Anthropic's messages. */
export class AnthropicModel implements ChatModel {
  private client?: Promise<Anthropic>;

  constructor(
    readonly name: string,
    private readonly options: AnthropicModelOptions,
  ) {}

  stream(request: ChatRequest, signal: AbortSignal): AsyncIterable<ChatEvent> {
    return withinLimits(this.options.limits, signal, (limited) => this.read(request, limited));
  }

  private async *read(request: ChatRequest, signal: AbortSignal): AsyncIterable<ChatEvent> {
    try {
      const usage = { inputTokens: 0, outputTokens: 0 };
      for await (const event of await this.open(request, signal)) {
        switch (event?.type) {
          case 'message_start':
            usage.inputTokens = event.message.usage.input_tokens;
            break;
          case 'content_block_delta':
            if (event.delta.type === 'text_delta') yield { type: 'text', text: event.delta.text };
            break;
          case 'message_delta':
            if (event.delta.stop_reason === 'refusal') throw new ModelRejected(this.name, 'refusal');
            usage.outputTokens = event.usage.output_tokens;
            break;
          case 'message_stop':
            yield { type: 'end', usage };
            return;
        }
      }
    } catch (error) {
      throw providerFailure(this.name, error, signal);
    }
  }

  private async open({ messages, maxTokens }: ChatRequest, signal: AbortSignal) {
    const client = await (this.client ??= this.connect());
    return client.messages.create(
      {
        model: this.options.model,
        max_tokens: maxTokens,
        system: messages.flatMap(({ role, content }) => (role === 'system' ? [content] : [])).join('\n\n'),
        messages: messages.flatMap(({ role, content }) => (role === 'system' ? [] : [{ role, content }])),
        stream: true,
      },
      { signal },
    );
  }

  /** The SDK is large, so it is loaded with the first question. It must neither retry nor log: we do both. */
  private async connect(): Promise<Anthropic> {
    const { Anthropic } = await import('@anthropic-ai/sdk');
    const { baseUrl, apiKey, limits } = this.options;
    return new Anthropic({
      baseURL: baseUrl,
      apiKey,
      maxRetries: 0,
      timeout: limits.totalMs,
      logLevel: 'off',
    });
  }
}
