import type { Anthropic } from '@anthropic-ai/sdk';
import { CoolDown } from './cool-down.js';
import type { ChatEvent, ChatModel, ChatRequest } from './provider.js';
import { ModelRejected, providerFailure } from './provider-failure.js';
import { MAX_EVENT_BYTES, MAX_STREAM_BYTES, pingProvider, providerFetch } from './provider-fetch.js';
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
  private readonly coolDown: CoolDown;

  constructor(
    readonly name: string,
    private readonly options: AnthropicModelOptions,
  ) {
    this.coolDown = new CoolDown(name);
  }

  stream(request: ChatRequest, signal: AbortSignal): AsyncIterable<ChatEvent> {
    return withinLimits(this.options.limits, signal, (limited) => this.read(request, limited));
  }

  ping(signal: AbortSignal): Promise<void> {
    const { baseUrl, apiKey } = this.options;
    const headers = { 'x-api-key': apiKey, 'anthropic-version': API_VERSION };
    return pingProvider(this.name, `${baseUrl.replace(/\/$/, '')}/v1/models`, headers, signal);
  }

  private async *read(request: ChatRequest, signal: AbortSignal): AsyncIterable<ChatEvent> {
    this.coolDown.pass();
    try {
      const usage = { inputTokens: 0, outputTokens: 0 };
      let stopReason: string | null = null;
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
            stopReason = event.delta.stop_reason ?? stopReason;
            usage.outputTokens = event.usage.output_tokens;
            break;
          case 'message_stop':
            // Without a reason it has not said that it finished.
            if (stopReason === null) return;
            yield { type: 'end', usage, ...(LENGTH_REASONS.has(stopReason) && { finishReason: 'length' }) };
            return;
        }
      }
    } catch (error) {
      throw this.coolDown.note(providerFailure(this.name, error, signal));
    }
  }

  private async open({ messages, maxTokens, schema }: ChatRequest, signal: AbortSignal) {
    const client = await (this.client ??= this.connect());
    return client.messages.create(
      {
        model: this.options.model,
        max_tokens: maxTokens,
        system: messages.flatMap(({ role, content }) => (role === 'system' ? [content] : [])).join('\n\n'),
        messages: messages.flatMap(({ role, content }) => (role === 'system' ? [] : [{ role, content }])),
        ...(schema && { output_config: { format: { type: 'json_schema', schema: schema.schema } } }),
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
      fetch: providerFetch({
        provider: this.name,
        contentType: 'text/event-stream',
        maxBytes: MAX_STREAM_BYTES,
        maxLineBytes: MAX_EVENT_BYTES,
      }),
    });
  }
}

const API_VERSION = '2023-06-01';
const LENGTH_REASONS = new Set(['max_tokens', 'model_context_window_exceeded']);
