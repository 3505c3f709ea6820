import { z } from 'zod';
import { section } from '#libs/config';

/** Each is held for some round trips: at 20 ms this is far more than is used, and at half a second just enough. */
export const DEFAULT_POOL_MAX = 32;

export const databaseSection = section(
  'DATABASE',
  z.object({
    url: z
      .url({ protocol: /^postgres(ql)?$/ })
      .optional()
      .describe('PostgreSQL 15 or newer, as the owner of the schema. Unset: an embedded one in DATA_DIR.'),
    appUrl: z
      .url({ protocol: /^postgres(ql)?$/ })
      .optional()
      .describe('The same database as the restricted application role. Unset: the role is made at start.'),
    sealerUrl: z
      .url({ protocol: /^postgres(ql)?$/ })
      .optional()
      .describe('The same database as the role that seals the audit log. Unset: the role is made at start.'),
    poolMax: z.coerce
      .number()
      .int()
      .min(2)
      .max(200)
      .optional()
      .describe(
        'Connections of one process, at most. Unset: 32; for ROLE=worker 8 and 2 for each of its WORKER_CONCURRENCY.',
      ),
    statementTimeoutMs: z.coerce
      .number()
      .int()
      .min(100)
      .max(600_000)
      // Two seconds would do on a quiet machine. On one that also parses and embeds, everything takes a multiple, and a
      // statement that is broken off was work for nothing; those who wait less have deadlines.
      .default(5_000)
      .describe('How long one statement of a request may run; those of jobs have 30 s and more.'),
  }),
);
export type DatabaseConfig = Readonly<z.infer<typeof databaseSection.schema>>;
