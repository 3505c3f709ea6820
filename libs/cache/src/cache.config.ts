import { z } from 'zod';
import { section } from '#libs/config';

export const cacheSection = section(
  'CACHE',
  z.object({
    url: z
      .url({ protocol: /^rediss?$/ })
      .optional()
      .describe(
        'A Redis or Valkey that processes share what they keep in: redis://… or rediss://…. Unset: memory only.',
      ),
    maxEntries: z.coerce
      .number()
      .int()
      .min(100)
      .max(1_000_000)
      .default(2_000)
      .describe('Entries that each named cache holds in memory at most.'),
    maxMb: z.coerce
      .number()
      .int()
      .min(1)
      .max(4_096)
      .default(32)
      .describe('Memory that each named cache takes at most, in megabytes.'),
    answerTtlSeconds: z.coerce
      .number()
      .int()
      .min(1)
      .max(86_400)
      .default(600)
      .describe('How long an answer is served again while its documents have not changed.'),
    staleAnswerSeconds: z.coerce
      .number()
      .int()
      .min(0)
      .max(86_400)
      .default(86_400)
      .describe('How long the last good answer is kept for when no better one can be had; 0: not at all.'),
  }),
);
export type CacheConfig = Readonly<z.infer<typeof cacheSection.schema>>;
