import { InvalidConfiguration } from '#libs/config';
import {
  type EmbedderConfig,
  dimensionsOf,
  type EmbedderPrefix,
  type PreviousEmbedderConfig,
  requiredFor,
} from './embedder.config.js';
import { LocalEmbedder } from './local.embedder.js';
import { OpenAiEmbedder, type VectorOrigins } from './openai.embedder.js';
import type { Embedder } from './provider.js';
import type { ChatModelsConfig } from './providers.config.js';

/** What the embedders are made of. */
export interface EmbedderSettings extends Pick<ChatModelsConfig, 'openai' | 'compatible'> {
  embedder: EmbedderConfig;
}

/** The configured embedder. Nothing is connected yet. @throws InvalidConfiguration */
export function createEmbedder(
  { embedder, openai, compatible }: EmbedderSettings,
  origins: VectorOrigins,
  prefix: EmbedderPrefix = 'EMBEDDER',
): Embedder {
  const { provider } = embedder;
  const dimensions = dimensionsOf(embedder, prefix);
  if (provider === 'local') return new LocalEmbedder(embedder);
  const setting = `${prefix}_PROVIDER=${provider}`;
  const model = requiredFor(setting, `${prefix}_MODEL`, embedder.model);
  const common = { provider, model, dimensions, concurrency: embedder.requests };
  if (provider === 'openai')
    return new OpenAiEmbedder(
      {
        ...common,
        baseUrl: openai.baseUrl,
        apiKey: requiredFor(setting, 'OPENAI_API_KEY', openai.apiKey),
        sendsDimensions: !model.startsWith('text-embedding-ada'),
        encoding: 'base64',
      },
      origins,
    );
  return new OpenAiEmbedder(
    {
      ...common,
      baseUrl: requiredFor(setting, 'COMPATIBLE_BASE_URL', compatible.baseUrl),
      apiKey: compatible.apiKey ?? 'none',
      sendsDimensions: false,
      encoding: 'float',
    },
    origins,
  );
}

/**
 * The embedder that was configured before, with what it shares with the one that is now; undefined when there is none.
 * Nothing is connected yet.
 *
 * @throws InvalidConfiguration, also when both are the same
 */
export function createPreviousEmbedder(
  { previousEmbedder, ...settings }: EmbedderSettings & { previousEmbedder: PreviousEmbedderConfig },
  origins: VectorOrigins,
): Embedder | undefined {
  const { provider, model, dimensions, baseUrl, apiKey } = previousEmbedder;
  if (provider === 'none') return undefined;
  const reached = { ...(baseUrl && { baseUrl }), ...(apiKey && { apiKey }) };
  const previous = createEmbedder(
    {
      embedder: { ...settings.embedder, provider, model, dimensions },
      openai: { ...settings.openai, ...reached },
      compatible: { ...settings.compatible, ...reached },
    },
    origins,
    'PREVIOUS_EMBEDDER',
  );
  if (previous.model === createEmbedder(settings, origins).model) {
    const message = 'names the embedder that is configured now';
    throw new InvalidConfiguration([{ variable: 'PREVIOUS_EMBEDDER_PROVIDER', message }]);
  }
  return previous;
}
