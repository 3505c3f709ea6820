import { z } from 'zod';
import { section } from '#libs/config';

export const factsSection = section(
  'FACTS',
  z.object({
    model: z
      .enum(['off', 'on'])
      .default('off')
      .describe(
        'Whether the models of CHAT_MODELS also look for the key facts of plans, beside the rules. With "on", the most ' +
          'telling passages of every document are sent to their provider as soon as it is uploaded, before anybody ' +
          'asks about it. What they find counts only where it stands word for word in the document.',
      ),
    modelTimeoutMs: z.coerce
      .number()
      .int()
      .min(100)
      .max(600_000)
      .default(45_000)
      .describe(
        'How long all models together may take for one document, which can be asked about meanwhile; after that the ' +
          'facts are those of the rules.',
      ),
    modelMaxTokens: z.coerce
      .number()
      .int()
      .min(256)
      .max(16_384)
      .default(4_096)
      .describe('Tokens that a model may write about one document.'),
  }),
);
export type FactsConfig = Readonly<z.infer<typeof factsSection.schema>>;
