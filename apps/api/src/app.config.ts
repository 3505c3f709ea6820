import { z } from 'zod';
import { auditSection } from '#libs/audit';
import { type CacheConfig, cacheSection } from '#libs/cache';
import { InvalidConfiguration, section } from '#libs/config';
import { type DatabaseConfig, databaseSection } from '#libs/database';
import { exportSection } from '#libs/exports';
import { faultsSection } from '#libs/faults';
import { admissionSection, browserSection, type RateConfig, rateSection, streamSection } from '#libs/http';
import { alertSection } from '#libs/monitoring';
import { resilienceSection } from './app.policy-file.js';
import {
  authSection,
  bootstrapSection,
  mailSection,
  signUpSection,
  tokenSection,
  oidcSection,
} from './auth/index.js';
import { conversationsSection } from './chat/index.js';
import {
  factsSection,
  gateSection,
  generationSection,
  importSection,
  clamdSection,
  parserSection,
  ocrSection,
  transcriberSection,
  uploadSection,
  webhookSection,
  type WorkerConfig,
  workerSection,
} from './ingestion/index.js';
import { privacySection } from './privacy/index.js';
import {
  anthropicSection,
  chatSection,
  compatibleSection,
  embedderSection,
  openaiSection,
  previousEmbedderSection,
  retrievalSection,
} from './rag/index.js';

const port = z.coerce.number().int().min(0).max(65_535);

export const serverSection = section(
  '',
  z.object({
    role: z
      .enum(['all', 'api', 'worker'])
      .default('all')
      .describe('What this process does: all, api (answers requests) or worker (processes documents).'),
    port: port.default(3000).describe('TCP port for HTTP; 0 picks a free one.'),
    host: z.string().min(1).default('127.0.0.1').describe('Address to listen on; 0.0.0.0 for all.'),
    dataDir: z
      .string()
      .min(1)
      .default('./data')
      .describe('Folder for the embedded database, the uploaded files and the secrets.'),
    logLevel: z
      .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
      .default('info')
      .describe('The least severe log lines that are written.'),
    trustProxy: z
      .string()
      .optional()
      .describe(
        'Addresses or networks of load balancers whose X-Forwarded-For is believed, comma separated.',
      ),
    requireTls: z
      .enum(['true', 'false'])
      .default('false')
      .transform((text) => text === 'true')
      .describe(
        'Whether to refuse settings by which anything on another machine would be reached without TLS.',
      ),
    shutdownLagMs: z.coerce
      .number()
      .int()
      .min(0)
      .max(5_000)
      .default(0)
      .describe(
        'How long to go on accepting requests after SIGTERM, so that a load balancer can take notice.',
      ),
  }),
);
export type ServerConfig = Readonly<z.infer<typeof serverSection.schema>>;

export const sentrySection = section(
  'SENTRY',
  z.object({
    dsn: z.url().optional().describe('Where bugs are reported to; unset, nothing is sent anywhere.'),
    environment: z
      .string()
      .min(1)
      .max(64)
      .default('production')
      .describe('Name of this installation in reports.'),
  }),
);

/** Every setting of the program. `.env.example` and the table in the README are generated from this. */
export const sections = {
  server: serverSection,
  database: databaseSection,
  cache: cacheSection,
  rate: rateSection,
  admission: admissionSection,
  stream: streamSection,
  browser: browserSection,
  alert: alertSection,
  audit: auditSection,
  export: exportSection,
  faults: faultsSection,
  resilience: resilienceSection,
  sentry: sentrySection,
  auth: authSection,
  bootstrap: bootstrapSection,
  signUp: signUpSection,
  mail: mailSection,
  tokens: tokenSection,
  oidc: oidcSection,
  upload: uploadSection,
  import: importSection,
  worker: workerSection,
  webhook: webhookSection,
  gate: gateSection,
  generation: generationSection,
  facts: factsSection,
  privacy: privacySection,
  parser: parserSection,
  clamd: clamdSection,
  ocr: ocrSection,
  transcriber: transcriberSection,
  retrieval: retrievalSection,
  embedder: embedderSection,
  previousEmbedder: previousEmbedderSection,
  chat: chatSection,
  openai: openaiSection,
  anthropic: anthropicSection,
  compatible: compatibleSection,
  conversations: conversationsSection,
};

/** A worker writes one thing of each document at a time and reads beside it; the rest is for its loops and listeners. */
export function poolMaxOf({
  server,
  database,
  worker,
}: {
  server: ServerConfig;
  database: DatabaseConfig;
  worker: WorkerConfig;
}): number | undefined {
  return database.poolMax ?? (server.role === 'worker' ? 2 * worker.concurrency + 8 : undefined);
}

/**
 * The Redis in which processes count quotas together; undefined where each counts by itself.
 *
 * @throws InvalidConfiguration when it is asked for and there is none
 */
export function quotaStoreUrlOf({
  rate,
  cache,
}: {
  rate: RateConfig;
  cache: CacheConfig;
}): string | undefined {
  if (rate.limitStore === 'process') return undefined;
  if (cache.url) return cache.url;
  throw new InvalidConfiguration([
    { variable: 'CACHE_URL', message: 'is needed for RATE_LIMIT_STORE=redis' },
  ]);
}
