import { z } from 'zod';
import { section } from '#libs/config';

export const faultsSection = section(
  'FAULTS',
  z.object({
    enabled: z
      .enum(['true', 'false'])
      .default('false')
      .transform((text) => text === 'true')
      .describe('Whether operators may inject faults into dependencies. Leave it off in production.'),
  }),
);
export type FaultsConfig = Readonly<z.infer<typeof faultsSection.schema>>;
