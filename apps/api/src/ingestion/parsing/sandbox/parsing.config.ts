import { z } from 'zod';
import { section } from '#libs/config';

export const parserSection = section(
  'PARSER',
  z.object({
    timeoutMs: z.coerce
      .number()
      .int()
      .min(1_000)
      .max(600_000)
      .default(60_000)
      .describe('How long reading one document, or one stretch of pages of it, may take.'),
    memoryMb: z.coerce
      .number()
      .int()
      .min(128)
      .max(16_384)
      .default(512)
      .describe('Memory that the process which reads a document may use, in megabytes.'),
    processes: z.coerce
      .number()
      .int()
      .min(1)
      .max(32)
      .default(2)
      .describe(
        'Files, or stretches of pages, that are read at the same time, each in a process of its own.',
      ),
    maxPages: z.coerce
      .number()
      .int()
      .min(1)
      .max(100_000)
      .default(20_000)
      .describe('Documents with more pages are refused.'),
    idleMs: z.coerce
      .number()
      .int()
      .min(100)
      .max(3_600_000)
      .default(30_000)
      .describe('A reading process without work is stopped after this long.'),
  }),
);
export type ParserConfig = Readonly<z.infer<typeof parserSection.schema>>;
