import { z } from 'zod';
import { section } from '#libs/config';

const perMinute = (initial: number, what: string) =>
  z.coerce
    .number()
    .int()
    .min(1)
    .max(1_000_000)
    .default(initial)
    .describe(`${what} a minute by one credential.`);

export const rateSection = section(
  'RATE',
  z.object({
    authPerMinute: perMinute(30, 'Logins and refreshes').describe(
      'Logins and refreshes a minute from one address.',
    ),
    strangerPerMinute: perMinute(1_000, '').describe(
      'Requests a minute from one address that have no valid credential or ask for what does not exist.',
    ),
    uploadPerMinute: perMinute(600, 'Uploads'),
    questionPerMinute: perMinute(300, 'Questions'),
    searchPerMinute: perMinute(600, 'Searches'),
    readPerMinute: perMinute(3_000, 'Other reads'),
    writePerMinute: perMinute(600, 'Other changes'),
    userFactor: z.coerce
      .number()
      .min(1)
      .max(1_000)
      .default(2)
      .describe('How many times the quota of one credential a user has, with all of his together.'),
    tenantFactor: z.coerce
      .number()
      .min(1)
      .max(100_000)
      .default(20)
      .describe('How many times the quota of one credential a tenant has, with all of its users together.'),
    limitStore: z
      .enum(['process', 'redis'])
      .default('process')
      .describe(
        'Where quotas and failed logins are counted: in each process by itself, or together in the Redis at CACHE_URL.',
      ),
    limitProcesses: z.coerce
      .number()
      .int()
      .min(1)
      .max(1_000)
      .default(1)
      .describe(
        'Among how many processes quotas are divided while that Redis was not reached once; then they are counted.',
      ),
  }),
);
export type RateConfig = Readonly<z.infer<typeof rateSection.schema>>;

export const admissionSection = section(
  'ADMISSION',
  z.object({
    concurrency: z.coerce
      .number()
      .int()
      .min(1)
      .max(10_000)
      .default(8)
      .describe(
        'Questions and searches that are worked on at once, at most; fewer while the process is too full.',
      ),
    maxWaitMs: z.coerce
      .number()
      .int()
      .min(10)
      .max(60_000)
      .default(5_000)
      .describe('A question or search that would wait longer than this for its turn is refused at once.'),
    loopDelayMs: z.coerce
      .number()
      .int()
      .min(10)
      .max(600_000)
      .default(100)
      .describe('A process whose event loop is this late is full.'),
    poolWaitMs: z.coerce
      .number()
      .int()
      .min(10)
      .max(600_000)
      .default(250)
      .describe('A process whose callers wait so long for a connection to the database is full.'),
  }),
);
export type AdmissionConfig = Readonly<z.infer<typeof admissionSection.schema>>;

const streams = (initial: number, what: string) =>
  z.coerce.number().int().min(1).max(1_000_000).default(initial).describe(what);

export const streamSection = section(
  'STREAM',
  z.object({
    watchersPerTenant: streams(100, 'Event streams of one tenant that wait for something to happen.'),
    perTenant: streams(1_000, 'Event streams of one tenant, answers that are being written included.'),
    perProcess: streams(5_000, 'Event streams of one process.'),
  }),
);
export type StreamConfig = Readonly<z.infer<typeof streamSection.schema>>;

export const browserSection = section(
  'BROWSER',
  z.object({
    origins: z
      .string()
      .max(2_000)
      .default('')
      .refine((text) => listOf(text).every(isOrigin), 'https://host or https://host:port, comma separated')
      .transform(listOf)
      .describe(
        'Origins whose pages may call the API from a browser, comma separated; empty: this one only.',
      ),
    docs: z
      .enum(['true', 'false'])
      .default('true')
      .transform((text) => text === 'true')
      .describe('Whether the description of the API is shown to everybody: /docs and /openapi.json.'),
  }),
);
export type BrowserConfig = Readonly<z.infer<typeof browserSection.schema>>;

function listOf(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

/** `null` would be every page without an origin, and `*` everybody. */
function isOrigin(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol) && new URL(text).origin === text;
}
