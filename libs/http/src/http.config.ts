import { z } from 'zod';
import { section } from '#libs/config';

const perMinute = (initial: number, what: string) =>
  z.coerce
    .number()
    .int()
    .min(1)
    .max(1_000_000)
    .default(initial)
    .describe(`${what} a minute from one address.`);

export const rateSection = section(
  'RATE',
  z.object({
    authPerMinute: perMinute(30, 'Logins and refreshes'),
    uploadPerMinute: perMinute(600, 'Uploads'),
    questionPerMinute: perMinute(300, 'Questions'),
    searchPerMinute: perMinute(600, 'Searches'),
    readPerMinute: perMinute(3_000, 'Other reads'),
    writePerMinute: perMinute(600, 'Other changes'),
  }),
);
export type RateConfig = Readonly<z.infer<typeof rateSection.schema>>;
