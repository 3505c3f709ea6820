import { z } from 'zod';
import { section } from '#libs/config';

export const embedderSection = section(
  'EMBEDDER',
  z.object({
    threads: z.coerce
      .number()
      .int()
      .min(1)
      .max(32)
      .default(1)
      .describe('Threads that compute embeddings; each takes one core and about 250 MB while it runs.'),
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
