import { InvalidConfiguration, section } from '#libs/config';
import { z } from 'zod';

export const embedderSection = section(
  'EMBEDDER',
  z.object({
    provider: z
      .enum(['local', 'openai', 'compatible'])
      .default('local')
      .describe(
        'What computes embeddings: local (on this machine, English), openai or compatible (a server that speaks ' +
          "OpenAI's protocol), reached as the models of that provider are.",
      ),
    model: z
      .string()
      .min(1)
      .max(80)
      .optional()
      .describe("The provider's name of the embedding model; needed unless the provider is local."),
    dimensions: z.coerce
      .number()
      .int()
      .min(8)
      .max(4_096)
      .optional()
      .describe('Numbers in a vector of that model; needed unless the provider is local.'),
    threads: z.coerce
      .number()
      .int()
      .min(1)
      .max(32)
      .default(1)
      .describe('Threads that compute embeddings; each takes one core and about 250 MB while it runs.'),
    requests: z.coerce
      .number()
      .int()
      .min(1)
      .max(64)
      .default(4)
      .describe('Batches of one document that are sent to a server at the same time.'),
    idleMs: z.coerce
      .number()
      .int()
      .min(1_000)
      .max(86_400_000)
      .default(600_000)
      .describe(
        'An embedding thread without work is stopped after this long; the next text starts it again.',
      ),
  }),
);
export type EmbedderConfig = Readonly<z.infer<typeof embedderSection.schema>>;

/** Of the model that is in the package. */
export const LOCAL_DIMENSIONS = 512;

/**
 * Of the vectors of the configured embedder.
 *
 * @throws InvalidConfiguration when the provider's model is not known well enough
 */
export function dimensionsOf({ provider, dimensions }: EmbedderConfig): number {
  if (provider !== 'local') return requiredFor(provider, 'EMBEDDER_DIMENSIONS', dimensions);
  if (dimensions !== undefined && dimensions !== LOCAL_DIMENSIONS)
    throw new InvalidConfiguration([
      { variable: 'EMBEDDER_DIMENSIONS', message: `is ${LOCAL_DIMENSIONS} for the local model` },
    ]);
  return LOCAL_DIMENSIONS;
}

export function requiredFor<T>(provider: string, variable: string, value: T | undefined): T {
  if (value === undefined)
    throw new InvalidConfiguration([{ variable, message: `is needed with EMBEDDER_PROVIDER=${provider}` }]);
  return value;
}
