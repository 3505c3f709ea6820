import { InvalidConfiguration } from '#libs/config';
import { AnthropicModel } from './anthropic.model.js';
import { OpenAiModel } from './openai.model.js';
import type { ChatModel } from './provider.js';
import type { ChatConfig, ChatModelsConfig } from './providers.config.js';
import type { StreamLimits } from './stream-limits.js';

/** Far more than any answer to a question needs; it bounds what a runaway model can make us hold. */
const MAX_ANSWER_CHARS = 64_000;

type Create = (name: string, model: string, config: ChatModelsConfig, limits: StreamLimits) => ChatModel;

const PROVIDERS: Record<string, Create> = {
  openai: (name, model, { openai, chat }, limits) =>
    new OpenAiModel(name, {
      model,
      baseUrl: openai.baseUrl,
      apiKey: required('OPENAI_API_KEY', openai.apiKey, name),
      limitParameter: 'max_completion_tokens',
      temperature: chat.temperature,
      limits,
    }),
  anthropic: (name, model, { anthropic }, limits) =>
    new AnthropicModel(name, {
      model,
      baseUrl: anthropic.baseUrl,
      apiKey: required('ANTHROPIC_API_KEY', anthropic.apiKey, name),
      limits,
    }),
  compatible: (name, model, { compatible, chat }, limits) =>
    new OpenAiModel(name, {
      model,
      baseUrl: required('COMPATIBLE_BASE_URL', compatible.baseUrl, name),
      // The SDK insists on a key; servers that want none ignore it.
      apiKey: compatible.apiKey ?? 'none',
      limitParameter: 'max_tokens',
      temperature: chat.temperature ?? 0,
      limits,
    }),
};

/**
 * The models of `CHAT_MODELS`, in order. Nothing is connected yet.
 *
 * @throws InvalidConfiguration naming the variable that is wrong or missing
 */
export function createChatModels(config: ChatModelsConfig): ChatModel[] {
  const { firstTokenTimeoutMs, idleTimeoutMs, totalTimeoutMs, models } = config.chat;
  const limits: StreamLimits = {
    firstTokenMs: firstTokenTimeoutMs,
    idleMs: idleTimeoutMs,
    totalMs: totalTimeoutMs,
    maxChars: MAX_ANSWER_CHARS,
  };
  return listNames(models).map((name) => {
    const { provider, model } = splitName(name);
    return PROVIDERS[provider]!(name, model, config, limits);
  });
}

/** The names in `CHAT_MODELS`, in order, for those who need no more than that. */
export const chatModelNames = ({ models }: ChatConfig): string[] => listNames(models);

function listNames(models: string): string[] {
  const names = models
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice) throw invalid('CHAT_MODELS', `lists ${twice} twice`);
  return names;
}

/** A model's own name may contain colons ("llama3.1:8b"), a provider's does not. */
function splitName(name: string): { provider: string; model: string } {
  const colon = name.indexOf(':');
  const provider = name.slice(0, Math.max(colon, 0));
  const model = name.slice(colon + 1);
  if (!Object.hasOwn(PROVIDERS, provider) || model === '')
    throw invalid(
      'CHAT_MODELS',
      `"${name}" is not provider:model; providers are ${Object.keys(PROVIDERS).join(', ')}`,
    );
  return { provider, model };
}

function required(variable: string, value: string | undefined, name: string): string {
  if (value === undefined) throw invalid(variable, `is needed for ${name} in CHAT_MODELS`);
  return value;
}

const invalid = (variable: string, message: string) => new InvalidConfiguration([{ variable, message }]);
