import { createChatModels } from './chat-models.js';
import { createEmbedder, createPreviousEmbedder, type EmbedderSettings } from './create-embedder.js';
import type { PreviousEmbedderConfig } from './embedder.config.js';
import type { ChatModelsConfig } from './providers.config.js';

/**
 * Something cheap to ask each provider, by the name of its policy, to learn early that it is back.
 *
 * @throws InvalidConfiguration
 */
export function providerProbes(
  config: ChatModelsConfig & EmbedderSettings & { previousEmbedder: PreviousEmbedderConfig },
): Record<string, (signal: AbortSignal) => Promise<void>> {
  const pings = createChatModels(config).map(
    (model) => [`model:${model.name}`, model.ping?.bind(model)] as const,
  );
  // It is never asked to embed anything here.
  const origins = { firstReported: (_: string, reported: string) => Promise.resolve(reported) };
  const embedder = createEmbedder(config, origins);
  const previous = createPreviousEmbedder(config, origins);
  const all = [
    ...pings,
    ['embedder', embedder.ping?.bind(embedder)] as const,
    ['previous-embedder', previous?.ping?.bind(previous)] as const,
  ];
  return Object.fromEntries(all.flatMap(([name, ping]) => (ping ? [[name, ping]] : [])));
}
