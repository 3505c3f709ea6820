import { createChatModels } from './chat-models.js';
import { createEmbedder, type EmbedderSettings } from './create-embedder.js';
import type { ChatModelsConfig } from './providers.config.js';

/**
 * Something cheap to ask each provider, by the name of its policy, to learn early that it is back.
 *
 * @throws InvalidConfiguration
 */
export function providerProbes(
  config: ChatModelsConfig & EmbedderSettings,
): Record<string, (signal: AbortSignal) => Promise<void>> {
  const pings = createChatModels(config).map(
    (model) => [`model:${model.name}`, model.ping?.bind(model)] as const,
  );
  // It is never asked to embed anything here.
  const embedder = createEmbedder(config, { firstReported: (_, reported) => Promise.resolve(reported) });
  const all = [...pings, ['embedder', embedder.ping?.bind(embedder)] as const];
  return Object.fromEntries(all.flatMap(([name, ping]) => (ping ? [[name, ping]] : [])));
}
