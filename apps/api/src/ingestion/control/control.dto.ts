import { z } from 'zod';
import { cursorQuery, pageOf } from '#libs/http';
import { STAGE_NAMES } from '../workflow/ingestion-stages.js';
import type { Control, ModelShare, TenantQueue } from './control.store.js';
import { type DeadLetter, MOST_COUNTED } from './dead-letter.store.js';

const isoTime = z.iso.datetime();
/** What one call has tried again at most: all of it is one transaction. */
const MOST_RETRIED = 1_000;

export const PauseIngestion = z
  .strictObject({ reason: z.string().trim().min(1).max(500).optional() })
  .nullish();
export type PauseIngestion = z.infer<typeof PauseIngestion>;

export const LimitIngestion = z.strictObject({
  max_running: z
    .number()
    .int()
    .min(1)
    .max(10_000)
    .nullable()
    .describe('Documents that are worked on at the same time; null: as many as the workers take.'),
});
export type LimitIngestion = z.infer<typeof LimitIngestion>;

export const IngestionBody = z.object({
  paused: z
    .object({ since: isoTime, by: z.uuid().nullable(), reason: z.string().nullable() })
    .nullable()
    .describe('No document is taken up; those that are worked on are finished. `by` null: by an operator.'),
  waiting: z.number().int(),
  running: z.number().int(),
  needs_review: z.number().int(),
  dead_letters: z.number().int(),
  oldest_wait_seconds: z.number().int(),
  expected_at: isoTime
    .nullable()
    .describe('When all that waits will probably be done; null when nobody can tell.'),
  embedding_models: z
    .array(z.object({ model: z.string(), documents: z.number().int(), configured: z.boolean() }))
    .describe(
      'What the meaning of documents is compared by. Those of a model that is not configured any more are found by ' +
        'their words only, unless it is configured as the previous one; a reindex from `embed` on mends that.',
    ),
  limits: z.object({
    max_running: z.number().int().nullable(),
    max_running_installation: z.number().int().nullable(),
  }),
});
export type IngestionBody = z.infer<typeof IngestionBody>;

const failed = {
  reason: z.string().min(1).max(100).optional().describe('A reason code.'),
  stage: z.enum(STAGE_NAMES).optional(),
  collection: z.string().trim().min(1).max(100).optional(),
};

export const ListDeadLetters = z.strictObject({ ...cursorQuery, ...failed });
export type ListDeadLetters = z.infer<typeof ListDeadLetters>;

export const RetryDeadLetters = z
  .strictObject({
    ...failed,
    ids: z
      .array(z.uuid())
      .min(1)
      .max(MOST_RETRIED)
      .optional()
      .describe('Of documents. Unless given, all that fit.'),
    limit: z.number().int().min(1).max(MOST_RETRIED).default(MOST_RETRIED),
  })
  .nullish()
  .transform((body) => body ?? { limit: MOST_RETRIED });
export type RetryDeadLetters = z.infer<typeof RetryDeadLetters>;

export const RetriedBody = z.object({
  retried: z.number().int(),
  remaining: z
    .number()
    .int()
    .describe(`Dead letters that fit and were not tried again; ${MOST_COUNTED} also stands for more.`),
});
export type RetriedBody = z.infer<typeof RetriedBody>;

export const DeadLetterBody = z.object({
  document_id: z.uuid(),
  title: z.string().nullable().describe("null when it is somebody else's private document."),
  collection: z.string().nullable(),
  media_type: z.string(),
  size_bytes: z.number().int(),
  reason_code: z.string(),
  stage: z.enum(STAGE_NAMES).nullable(),
  attempts: z.number().int().nullable(),
  failed_at: isoTime,
});
export type DeadLetterBody = z.infer<typeof DeadLetterBody>;
export const DeadLetterPage = pageOf(DeadLetterBody);

export const OrdersBody = z.object({
  installation: z.object({ paused_at: isoTime.nullable(), max_running: z.number().int().nullable() }),
  tenants: z.array(
    z.object({
      tenant_id: z.uuid(),
      paused_at: isoTime.nullable(),
      max_running: z.number().int().nullable(),
    }),
  ),
});
export type OrdersBody = z.infer<typeof OrdersBody>;

export interface Overview {
  own: Control | undefined;
  installation: Control | undefined;
  queue: TenantQueue;
  models: readonly ModelShare[];
  /** The model that embeds now. */
  configuredModel: string;
  expectedAt: Date | undefined;
}

export function toIngestionBody(
  { own, installation, queue, models, configuredModel, expectedAt }: Overview,
  now = new Date(),
): IngestionBody {
  const { waiting, running, inReview, failed: deadLetters, oldestSince } = queue;
  return {
    paused: pausedBody(own) ?? pausedBody(installation && { ...installation, pausedBy: null }),
    waiting,
    running,
    needs_review: inReview,
    dead_letters: deadLetters,
    oldest_wait_seconds: oldestSince
      ? Math.max(0, Math.round((now.getTime() - oldestSince.getTime()) / 1_000))
      : 0,
    expected_at: expectedAt?.toISOString() ?? null,
    embedding_models: models.map((share) => ({ ...share, configured: share.model === configuredModel })),
    limits: {
      max_running: own?.maxRunning ?? null,
      max_running_installation: installation?.maxRunning ?? null,
    },
  };
}

function pausedBody(control: Control | undefined): IngestionBody['paused'] {
  if (!control?.pausedAt) return null;
  return { since: control.pausedAt.toISOString(), by: control.pausedBy, reason: control.pauseReason };
}

export function toDeadLetterBody(letter: DeadLetter): DeadLetterBody {
  return {
    document_id: letter.documentId,
    title: letter.title,
    collection: letter.collection,
    media_type: letter.mediaType,
    size_bytes: letter.sizeBytes,
    reason_code: letter.reasonCode,
    stage: letter.stage,
    attempts: letter.attempts,
    failed_at: letter.failedAt.toISOString(),
  };
}
