import { z } from 'zod';
import { section } from '#libs/config';
import { hostList, networkList } from '#libs/http';

export const uploadSection = section(
  'UPLOAD',
  z.object({
    maxBytes: z.coerce
      .number()
      .int()
      .min(1_024)
      .max(10_737_418_240)
      .default(104_857_600)
      .describe('The largest file that is accepted, in bytes.'),
  }),
);
export type UploadConfig = Readonly<z.infer<typeof uploadSection.schema>>;

export const workerSection = section(
  'WORKER',
  z.object({
    concurrency: z.coerce
      .number()
      .int()
      .min(1)
      .max(64)
      // While some wait for the database and the embedder, others use the processors.
      .default(6)
      .describe('Documents that one worker processes at the same time.'),
    partConcurrency: z.coerce
      .number()
      .int()
      .min(1)
      .max(64)
      .default(4)
      .describe('Parts of one document, such as stretches of pages, that are read at the same time.'),
    pollMs: z.coerce
      .number()
      .int()
      .min(50)
      .max(60_000)
      .default(2_000)
      .describe('How often a worker without work looks at the queue, should a notification be lost.'),
    leaseMs: z.coerce
      .number()
      .int()
      .min(1_000)
      .max(600_000)
      .default(30_000)
      .describe('After this long without a heartbeat a job is given to another worker.'),
    retryDelayMs: z.coerce
      .number()
      .int()
      .min(10)
      .max(600_000)
      .default(5_000)
      .describe('The pause before a failed stage is tried again; four times as long after the next failure.'),
    checkpointDelayMs: z.coerce
      .number()
      .int()
      .min(0)
      .max(10_000)
      .default(100)
      .describe('How long a finished stage may wait to be written together with the next one.'),
    maxAttempts: z.coerce
      .number()
      .int()
      .min(1)
      .max(20)
      .default(3)
      .describe('How often a stage is tried before its document is failed.'),
    maxCrashes: z.coerce
      .number()
      .int()
      .min(1)
      .max(100)
      .default(5)
      .describe('How often in a row the process may die over a document before that is failed.'),
    stuckAfterMs: z.coerce
      .number()
      .int()
      .min(100)
      .max(86_400_000)
      .default(600_000)
      .describe('A job that gives no sign of life for so long is given to another worker.'),
  }),
);
export type WorkerConfig = Readonly<z.infer<typeof workerSection.schema>>;

export const webhookSection = section(
  'WEBHOOK',
  z.object({
    pollMs: z.coerce
      .number()
      .int()
      .min(50)
      .max(60_000)
      .default(1_000)
      .describe('How often a worker looks for messages to tenants’ webhooks.'),
    keepDays: z.coerce
      .number()
      .int()
      .min(1)
      .max(3_650)
      .default(30)
      .describe('How long the log of what was sent to webhooks is kept.'),
    allowedNetworks: networkList(
      'Private networks in which webhooks may be, such as 10.1.0.0/16, comma separated; none unless given.',
    ),
    allowedHosts: hostList(
      'The only hosts that webhooks may be on, such as hooks.example.com, *.example.org, comma separated; any unless given.',
    ),
  }),
);
export type WebhookConfig = Readonly<z.infer<typeof webhookSection.schema>>;
