import { z } from 'zod';
import { section } from '#libs/config';

export const privacySection = section(
  'PRIVACY',
  z.object({
    pollMs: z.coerce
      .number()
      .int()
      .min(10)
      .max(600_000)
      .default(2_000)
      .describe('How often a worker looks for erasures and deletions that are due.'),
    retentionEveryMinutes: z.coerce
      .number()
      .int()
      .min(1)
      .max(10_080)
      .default(60)
      .describe('How often a worker deletes documents that are older than their tenant keeps them.'),
  }),
);
export type PrivacyConfig = Readonly<z.infer<typeof privacySection.schema>>;
