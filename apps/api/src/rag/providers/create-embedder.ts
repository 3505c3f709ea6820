import { type EmbedderConfig, dimensionsOf, requiredFor } from './embedder.config.js';
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
): Embedder {
  const { provider } = embedder;
  const dimensions = dimensionsOf(embedder);
  if (provider === 'local') return new LocalEmbedder(embedder);
  const model = requiredFor(provider, 'EMBEDDER_MODEL', embedder.model);
  const common = { provider, model, dimensions, concurrency: embedder.requests };
  if (provider === 'openai')
    return new OpenAiEmbedder(
      {
        ...common,
        baseUrl: openai.baseUrl,
        apiKey: requiredFor(provider, 'OPENAI_API_KEY', openai.apiKey),
        sendsDimensions: !model.startsWith('text-embedding-ada'),
        encoding: 'base64',
      },
      origins,
    );
  return new OpenAiEmbedder(
    {
      ...common,
      baseUrl: requiredFor(provider, 'COMPATIBLE_BASE_URL', compatible.baseUrl),
      apiKey: compatible.apiKey ?? 'none',
      sendsDimensions: false,
      encoding: 'float',
    },
    origins,
  );
}
