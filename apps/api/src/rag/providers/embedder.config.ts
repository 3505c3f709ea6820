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

/** The embedder that was configured before, while documents are embedded anew. */
export const previousEmbedderSection = section(
  'PREVIOUS_EMBEDDER',
  z.object({
    provider: z
      .enum(['none', 'local', 'openai', 'compatible'])
      .default('none')
      .describe(
        'What EMBEDDER_PROVIDER was before it was changed. Until all documents are embedded anew (POST /v1/reindexes ' +
          'from embed), questions are embedded by both.',
      ),
    model: z.string().min(1).max(80).optional().describe('What EMBEDDER_MODEL was.'),
    dimensions: z.coerce
      .number()
      .int()
      .min(8)
      .max(4_096)
      .optional()
      .describe('What EMBEDDER_DIMENSIONS was.'),
    baseUrl: z.url().optional().describe('Where its server is reached; that of the provider unless given.'),
    apiKey: z
      .string()
      .min(1)
      .max(1_000)
      .optional()
      .describe('Key for that server; that of the provider unless given.'),
  }),
);
export type PreviousEmbedderConfig = Readonly<z.infer<typeof previousEmbedderSection.schema>>;

/** Of the model that is in the package. */
export const LOCAL_DIMENSIONS = 512;

/**
 * Of the vectors of the configured embedder.
 *
 * @throws InvalidConfiguration when the provider's model is not known well enough
 */
export function dimensionsOf(
  { provider, dimensions }: Pick<EmbedderConfig, 'provider' | 'dimensions'>,
  prefix: EmbedderPrefix = 'EMBEDDER',
): number {
  const variable = `${prefix}_DIMENSIONS`;
  if (provider !== 'local') return requiredFor(`${prefix}_PROVIDER=${provider}`, variable, dimensions);
  if (dimensions !== undefined && dimensions !== LOCAL_DIMENSIONS)
    throw new InvalidConfiguration([{ variable, message: `is ${LOCAL_DIMENSIONS} for the local model` }]);
  return LOCAL_DIMENSIONS;
}

/** Which of the two embedders a message is about. */
export type EmbedderPrefix = 'EMBEDDER' | 'PREVIOUS_EMBEDDER';

export function requiredFor<T>(setting: string, variable: string, value: T | undefined): T {
  if (value === undefined)
    throw new InvalidConfiguration([{ variable, message: `is needed with ${setting}` }]);
  return value;
}
