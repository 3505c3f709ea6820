import { z } from 'zod';
import { section } from '#libs/config';

const share = (initial: number) => z.coerce.number().min(0).max(1).default(initial);

/** From which values on a document is warned about, and from which on a person has to look at it. */
export const gateSection = section(
  'GATE',
  z.object({
    wordsWarn: z.coerce
      .number()
      .int()
      .min(0)
      .max(10_000)
      .default(5)
      .describe('A document of fewer words is warned about; one without any fails.'),
    ocrConfidenceWarn: share(0.75).describe('Mean confidence of recognised words, below which is warned.'),
    ocrConfidenceReview: share(0.4).describe(
      'Mean confidence of recognised words, below which a person decides.',
    ),
    transcriptConfidenceWarn: share(0.6).describe('Mean confidence of heard words, below which is warned.'),
    transcriptConfidenceReview: share(0.3).describe(
      'Mean confidence of heard words, below which a person decides.',
    ),
    garbledWarn: share(0.02).describe('Share of unreadable characters above which is warned.'),
    garbledReview: share(0.2).describe('Share of unreadable characters above which a person decides.'),
    pagesWithoutTextWarn: share(0.2).describe('Share of pages without text above which is warned.'),
    pagesWithoutTextReview: share(0.7).describe('Share of pages without text above which a person decides.'),
    pagesUnreadableReview: share(0.2).describe(
      'Share of pages that cannot be opened, above which a person decides; any is warned about.',
    ),
    tableHeadersWarn: share(0.5).describe(
      'Share of table cells without a column header above which is warned.',
    ),
    tableHeadersReview: share(1).describe(
      'Share of table cells without a column header above which a person decides; 1: never.',
    ),
    refusedReview: share(0.6).describe(
      'Share of passages refused by the embedding model, above which a person decides; any is warned about.',
    ),
    vectorsAlikeReview: share(0.999).describe(
      'Mean similarity of the vectors to their centre from which a person decides: they tell nothing apart.',
    ),
    languages: z
      .string()
      .regex(/^[a-z]{2}(,[a-z]{2})*$/)
      .optional()
      .describe(
        'Languages that are expected (ISO 639-1, comma separated); others are warned about. Unset: any.',
      ),
  }),
);
export type GateConfig = Readonly<z.infer<typeof gateSection.schema>>;
