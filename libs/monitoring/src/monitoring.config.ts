import { z } from 'zod';
import { section } from '#libs/config';

const hold = (initial: number, what: string) =>
  z.coerce.number().int().min(0).max(3_600_000).default(initial).describe(what);

export const alertSection = section(
  'ALERT',
  z.object({
    forMs: hold(30_000, 'How long something must be wrong before it is an alert.'),
    resolveMs: hold(120_000, 'How long it must be right again before the alert is resolved.'),
    webhookUrl: z
      .url({ protocol: /^https?$/ })
      .optional()
      .describe('Where opened and resolved alerts are posted to (Standard Webhooks); unset, nowhere.'),
    webhookSecret: z
      .string()
      .regex(/^(whsec_)?[A-Za-z0-9+/]{32,88}={0,2}$/)
      .optional()
      .describe(
        'Signs them: base64 of at least 24 bytes, with or without whsec_. Needed with ALERT_WEBHOOK_URL.',
      ),
    replica: z
      .string()
      .regex(/^[A-Za-z0-9._:-]{1,100}$/)
      .optional()
      .describe('Name of this process in alerts about it alone; unset, its host name and port.'),
  }),
);
export type AlertConfig = Readonly<z.infer<typeof alertSection.schema>>;
