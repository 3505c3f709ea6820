import { z } from 'zod';
import { section } from '#libs/config';

export const auditSection = section(
  'AUDIT',
  z.object({
    sealer: z
      .enum(['on', 'off'])
      .default('on')
      .describe('Whether this process takes part in sealing the audit log; one process at a time does it.'),
    keyFile: z
      .string()
      .min(1)
      .optional()
      .describe(
        'File with the keys that sign checkpoints; unset, secrets/audit-keys.json in DATA_DIR. Made if it is missing.',
      ),
    checkpointMs: z.coerce
      .number()
      .int()
      .min(100)
      .max(600_000)
      .default(10_000)
      .describe('How often the audit log is signed while it grows; a sixth as often while it does not.'),
    anchorFile: z
      .string()
      .min(1)
      .optional()
      .describe(
        'File to which checkpoints are appended; unset, audit-checkpoints.ndjson in DATA_DIR. Best on another volume.',
      ),
    anchorWebhookUrl: z
      .url({ protocol: /^https?$/ })
      .optional()
      .describe('Where checkpoints are posted to as well (Standard Webhooks); unset, nowhere.'),
    anchorWebhookSecret: z
      .string()
      .regex(/^(whsec_)?[A-Za-z0-9+/]{32,88}={0,2}$/)
      .optional()
      .describe(
        'Signs them: base64 of at least 24 bytes, with or without whsec_. Needed with AUDIT_ANCHOR_WEBHOOK_URL.',
      ),
  }),
);
export type AuditConfig = Readonly<z.infer<typeof auditSection.schema>>;
