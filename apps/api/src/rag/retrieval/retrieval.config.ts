import { z } from 'zod';
import { section } from '#libs/config';

/** The defaults are what `npm run eval` measured best; see README.md here. */
export const retrievalSection = section(
  'RAG',
  z.object({
    similarityThreshold: z.coerce
      .number()
      .min(0)
      .max(1)
      .default(0.3)
      .describe(
        'Cosine similarity that a passage without a word of the question must have to be found at all.',
      ),
    lexicalWeight: z.coerce
      .number()
      .min(0)
      .max(1)
      .default(0.55)
      .describe('Share of the words in the score of a passage; the rest is that of the meaning.'),
    bm25K1: z.coerce
      .number()
      .min(0)
      .max(10)
      .default(1.2)
      .describe('BM25: the higher, the more it counts that a word stands in a passage again.'),
    candidates: z.coerce
      .number()
      .int()
      .min(10)
      .max(500)
      .default(100)
      .describe('Passages that are taken from each of the two rankings before they are merged.'),
    embedTimeoutMs: z.coerce
      .number()
      .int()
      .min(10)
      .max(60_000)
      .default(3_000)
      .describe('How long the question may take to be embedded; after that its words must do.'),
  }),
);
export type RetrievalConfig = Readonly<z.infer<typeof retrievalSection.schema>>;
