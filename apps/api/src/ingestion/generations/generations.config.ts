import { z } from 'zod';
import { section } from '#libs/config';

export const generationSection = section(
  'GENERATION',
  z.object({
    retentionHours: z.coerce
      .number()
      .int()
      .min(0)
      .max(8_760)
      .default(72)
      .describe(
        'How long a document that was made anew can be switched back to what it was before; 0 keeps nothing of that.',
      ),
  }),
);
export type GenerationConfig = Readonly<z.infer<typeof generationSection.schema>>;
