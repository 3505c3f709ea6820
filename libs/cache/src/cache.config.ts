import { z } from 'zod';
import { section } from '#libs/config';

export const cacheSection = section(
  'CACHE',
  z.object({
    maxEntries: z.coerce
      .number()
      .int()
      .min(100)
      .max(1_000_000)
      .default(2_000)
      .describe('Entries the in-memory cache holds at most.'),
    answerTtlSeconds: z.coerce
      .number()
      .int()
      .min(1)
      .max(86_400)
      .default(600)
      .describe('How long an answer is served again while its documents have not changed.'),
  }),
);
export type CacheConfig = Readonly<z.infer<typeof cacheSection.schema>>;
