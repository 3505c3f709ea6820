import { z } from 'zod';
import { section } from '#libs/config';

const whole = (min: number, max: number, initial: number) =>
  z.coerce.number().int().min(min).max(max).default(initial);

export const tokenSection = section(
  'TOKEN',
  z.object({
    keyRotationDays: whole(1, 365, 30).describe('A new key signs access tokens after this.'),
    keyPublishSeconds: whole(0, 86_400, 600).describe(
      'For so long a new key is in the public list before it signs, so that whoever keeps the list has it.',
    ),
  }),
);
export type TokenConfig = Readonly<z.infer<typeof tokenSection.schema>>;
