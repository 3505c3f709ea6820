import { z } from 'zod';
import { section } from '#libs/config';

const count = (initial: number, max: number, what: string) =>
  z.coerce.number().int().min(1).max(max).default(initial).describe(what);

export const exportSection = section(
  'EXPORT',
  z.object({
    concurrency: count(2, 64, 'Exports that one worker writes at the same time.'),
    waitingPerTenant: count(5, 1_000, 'Exports of one tenant that wait or are written.'),
    keptPerTenant: count(50, 10_000, 'Exports of one tenant that wait, are written or can be downloaded.'),
    maxBytes: count(10_737_418_240, 1_099_511_627_776, 'The largest file of an export, in bytes.'),
    keepHours: count(168, 8_760, 'How long the file of an export can be downloaded.'),
    leaseMs: z.coerce
      .number()
      .int()
      .min(1_000)
      .max(600_000)
      .default(15_000)
      .describe('After this long without a sign of life an export is given to another worker.'),
    pollMs: z.coerce
      .number()
      .int()
      .min(10)
      .max(60_000)
      .default(1_000)
      .describe('How often a worker looks for exports.'),
  }),
);
export type ExportConfig = Readonly<z.infer<typeof exportSection.schema>>;
