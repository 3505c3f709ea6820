import { z } from 'zod';
import { section } from '#libs/config';

export const signUpSection = section(
  '',
  z.object({
    signup: z
      .enum(['off', 'on'])
      .default('off')
      .describe('Whether people may join without an invitation; each gets a tenant of his own.'),
  }),
);
export type SignUpConfig = Readonly<z.infer<typeof signUpSection.schema>>;
