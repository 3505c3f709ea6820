import type { OpenAI } from 'openai';
import { CoolDown } from './cool-down.js';
import type { ChatEvent, ChatModel, ChatRequest, TokenUsage } from './provider.js';
import { ModelRejected, providerFailure } from './provider-failure.js';
import { MAX_EVENT_BYTES, MAX_STREAM_BYTES, pingProvider, providerFetch } from './provider-fetch.js';
import { type StreamLimits, withinLimits } from './stream-limits.js';

export interface OpenAiModelOptions {
  /** The provider's own name of the model. */
  model: string;
  baseUrl: string;
  apiKey: string;
  limits: StreamLimits;
  /** OpenAI's newer models know only the first name, most compatible servers only the second. */
  limitParameter: 'max_completion_tokens' | 'max_tokens';
  /** Not sent unless given: reasoning models refuse it. */
  temperature?: number;
}

/** A model behind OpenAI's chat completions: OpenAI itself, or any server that speaks its protocol. */
export class OpenAiModel implements ChatModel {
  private client?: Promise<OpenAI>;
  private readonly coolDown: CoolDown;

  constructor(
    readonly name: string,
    private readonly options: OpenAiModelOptions,
  ) {
    this.coolDown = new CoolDown(name);
  }

  stream(request: ChatRequest, signal: AbortSignal): AsyncIterable<ChatEvent> {
    return withinLimits(this.options.limits, signal, (limited) => this.read(request, limited));
  }

  ping(signal: AbortSignal): Promise<void> {
    const { baseUrl, apiKey } = this.options;
    const url = `${baseUrl.replace(/\/$/, '')}/models`;
    return pingProvider(this.name, url, { authorization: `Bearer ${apiKey}` }, signal);
  }

  private async *read(request: ChatRequest, signal: AbortSignal): AsyncIterable<ChatEvent> {
    this.coolDown.pass();
    try {
      const chunks = await this.open(request, signal);
      let finish: string | undefined;
      let usage: TokenUsage | null = null;
      for await (const chunk of chunks) {
        const choice = chunk?.choices?.[0];
        if (choice?.delta?.content) yield { type: 'text', text: choice.delta.content };
        if (choice?.delta?.refusal) throw new ModelRejected(this.name, 'refusal');
        if (choice?.finish_reason === 'content_filter') throw new ModelRejected(this.name, 'content_filter');
        finish = choice?.finish_reason ?? finish;
        if (chunk?.usage)
          usage = { inputTokens: chunk.usage.prompt_tokens, outputTokens: chunk.usage.completion_tokens };
      }
      if (finish) yield { type: 'end', usage, ...(finish === 'length' && { finishReason: 'length' }) };
    } catch (error) {
      throw this.coolDown.note(providerFailure(this.name, error, signal));
    }
  }

  private async open(request: ChatRequest, signal: AbortSignal) {
    const { model, limitParameter, temperature } = this.options;
    const client = await (this.client ??= this.connect());
    return client.chat.completions.create(
      {
        model,
        messages: request.messages,
        [limitParameter]: request.maxTokens,
        ...(temperature === undefined ? {} : { temperature }),
        ...(request.schema && {
          response_format: { type: 'json_schema', json_schema: { ...request.schema, strict: true } },
        }),
        stream: true,
        stream_options: { include_usage: true },
      },
      { signal },
    );
  }

  /** The SDK is large, so it is loaded with the first question. It must neither retry nor log: we do both. */
  private async connect(): Promise<OpenAI> {
    const { OpenAI } = await import('openai');
    const { baseUrl, apiKey, limits } = this.options;
    return new OpenAI({
      baseURL: baseUrl,
      apiKey,
      // The SDK would take these from the environment, also for a server that is not OpenAI's.
      adminAPIKey: null,
      organization: null,
      project: null,
      maxRetries: 0,
      timeout: limits.totalMs,
      logLevel: 'off',
      fetch: providerFetch({
        provider: this.name,
        contentType: 'text/event-stream',
        maxBytes: MAX_STREAM_BYTES,
        maxLineBytes: MAX_EVENT_BYTES,
        sentinel: '[DONE]',
      }),
    });
  }
}
