import { z } from 'zod';
import { section } from '#libs/config';

export const conversationsSection = section(
  'CHAT',
  z.object({
    resumeGraceMs: z.coerce
      .number()
      .int()
      .min(0)
      .max(120_000)
      .default(15_000)
      .describe(
        'How long an answer goes on being written after its reader has left, so that he can come back.',
      ),
  }),
);
export type ConversationsConfig = Readonly<z.infer<typeof conversationsSection.schema>>;
