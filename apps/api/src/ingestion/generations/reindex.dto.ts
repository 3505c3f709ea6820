import { z } from 'zod';
import { cursorQuery, pageOf } from '#libs/http';
import { DOCUMENT_STATUSES } from '../documents/document.js';
import {
  type Reindex,
  REINDEX_ITEM_STATES,
  REINDEX_STAGES,
  REINDEX_STATES,
  type ReindexItem,
} from './reindex.js';
import type { ReindexTally } from './reindex.store.js';

const MOST_IDS = 1_000;
const count = z.number().int();
const isoTime = z.iso.datetime();

export const CreateReindex = z.strictObject({
  scope: z.union([
    z.strictObject({ document_ids: z.array(z.uuid()).min(1).max(MOST_IDS) }),
    z.strictObject({ collection: z.string().trim().min(1).max(100) }),
    z.strictObject({ everything: z.literal(true) }),
  ]),
  from: z
    .enum(REINDEX_STAGES)
    .default('structure')
    .describe(
      'extract: the files are read again. structure: they are cut into passages again, and read again where what was ' +
        'read is gone. embed: the passages stay, and get vectors of the model that is configured now.',
    ),
  reason: z.string().trim().min(1).max(500).optional(),
});
export type CreateReindex = z.infer<typeof CreateReindex>;

export const ListReindexes = z.strictObject(cursorQuery);
export type ListReindexes = z.infer<typeof ListReindexes>;
export const ListReindexItems = z.strictObject({
  ...cursorQuery,
  state: z.enum(REINDEX_ITEM_STATES).optional(),
});
export type ListReindexItems = z.infer<typeof ListReindexItems>;

export const ReindexBody = z.object({
  id: z.uuid(),
  state: z
    .enum(REINDEX_STATES)
    .describe('finished: every document has ended, one way or the other. cancelled: nothing more is begun.'),
  scope: z.union([
    z.object({ documents: count }),
    z.object({ collection: z.string() }),
    z.object({ everything: z.literal(true) }),
  ]),
  from: z.enum(REINDEX_STAGES),
  reason: z.string().nullable(),
  created_by: z.uuid(),
  items: z
    .object(Object.fromEntries(['total', ...REINDEX_ITEM_STATES].map((name) => [name, count])))
    .describe('switched: questions find what was made anew; of all others they find what they found before.'),
  percent: z.number().int().min(0).max(100).describe('Of the documents, those that have ended.'),
  eta_seconds: count.nullable().describe('By the pace so far; null when that says nothing.'),
  created_at: isoTime,
  finished_at: isoTime.nullable(),
});
export type ReindexBody = z.infer<typeof ReindexBody>;
export const ReindexPage = pageOf(ReindexBody);

export const ReindexItemBody = z.object({
  document_id: z.uuid(),
  state: z.enum(REINDEX_ITEM_STATES),
  reason_code: z.string().nullable().describe('Why it failed, was skipped or could not be rolled back.'),
  document_status: z.enum(DOCUMENT_STATUSES).nullable().describe('Now; null when the document is gone.'),
  begun_at: isoTime.nullable(),
  settled_at: isoTime.nullable(),
});
export type ReindexItemBody = z.infer<typeof ReindexItemBody>;
export const ReindexItemPage = pageOf(ReindexItemBody);

/** @param tallies how many of its items are in each state; those that are not named are none */
export function toReindexBody(
  reindex: Reindex,
  tallies: readonly ReindexTally[],
  now = new Date(),
): ReindexBody {
  const counts = new Map(tallies.map((tally) => [tally.state, tally.count]));
  const of = (name: (typeof REINDEX_ITEM_STATES)[number]) => counts.get(name) ?? 0;
  const total = tallies.reduce((sum, tally) => sum + tally.count, 0);
  const open = of('waiting') + of('running');
  const { id, state, scope, from, reason, createdBy, createdAt, finishedAt } = reindex;
  return {
    id,
    state,
    scope: scope as ReindexBody['scope'],
    from,
    reason,
    created_by: createdBy,
    items: { total, ...Object.fromEntries(REINDEX_ITEM_STATES.map((name) => [name, of(name)])) },
    percent: total === 0 ? 100 : Math.floor((100 * (total - open)) / total),
    eta_seconds: state === 'running' ? etaSeconds({ open, ended: total - open, createdAt }, now) : null,
    created_at: createdAt.toISOString(),
    finished_at: finishedAt?.toISOString() ?? null,
  };
}

/** Undetermined while nothing has come to its end. */
function etaSeconds(
  { open, ended, createdAt }: { open: number; ended: number; createdAt: Date },
  now: Date,
): number | null {
  const elapsedSeconds = (now.getTime() - createdAt.getTime()) / 1_000;
  return ended === 0 || elapsedSeconds <= 0 ? null : Math.ceil((open * elapsedSeconds) / ended);
}

export function toReindexItemBody(item: ReindexItem): ReindexItemBody {
  return {
    document_id: item.documentId,
    state: item.state,
    reason_code: item.reasonCode,
    document_status: item.documentStatus as ReindexItemBody['document_status'],
    begun_at: item.begunAt?.toISOString() ?? null,
    settled_at: item.settledAt?.toISOString() ?? null,
  };
}
