import { z } from 'zod';
import { cursorQuery, pageOf } from '#libs/http';
import type { Erasure } from './erasure.js';

export const MOST_GRACE_DAYS = 30;

export const password = z
  .string()
  .max(1_024)
  .optional()
  .describe('Your own; not needed in a session that began in the last 15 minutes.');

export const RequestErasure = z.strictObject({
  user_id: z.uuid().toLowerCase().describe('Who is to be forgotten.'),
  shared_documents: z
    .enum(['transfer', 'delete'])
    .describe(
      'What becomes of his documents that others see: given to the heir, or deleted like the private ones.',
    ),
  heir_id: z
    .uuid()
    .toLowerCase()
    .optional()
    .describe('An administrator who takes over what is the tenant’s; you, unless given.'),
  grace_days: z
    .int()
    .min(0)
    .max(MOST_GRACE_DAYS)
    .default(0)
    .describe('For so long it can be cancelled. Nobody sees him or his documents meanwhile.'),
  password,
});
export type RequestErasure = z.infer<typeof RequestErasure>;

export const ListErasures = z.strictObject(cursorQuery);
export type ListErasures = z.infer<typeof ListErasures>;
export const ErasureCursor = z.tuple([z.uuid()]);

export const RUN_STATE = z.enum(['waiting', 'running', 'done', 'cancelled']);
export const COUNTS = z
  .record(z.string(), z.int())
  .describe('How much went, by table; the receipt, once it is done.');

export const ErasureItem = z.object({
  id: z.uuid(),
  state: RUN_STATE,
  user_id: z.uuid().nullable().describe('null once he is forgotten.'),
  requested_by: z.uuid().nullable(),
  heir_id: z.uuid().nullable(),
  shared_documents: z.enum(['transfer', 'delete']),
  runs_at: z.iso.datetime().describe('Until then it can be cancelled.'),
  counts: COUNTS,
  created_at: z.iso.datetime(),
  finished_at: z.iso.datetime().nullable(),
});
export type ErasureItem = z.infer<typeof ErasureItem>;
export const ErasurePage = pageOf(ErasureItem);
export type ErasurePage = z.infer<typeof ErasurePage>;

export function toErasureItem(erasure: Erasure): ErasureItem {
  const { id, state, userId, requestedBy, heirId, sharedDocuments, runAt, counts } = erasure;
  return {
    id,
    state,
    user_id: userId,
    requested_by: requestedBy,
    heir_id: heirId,
    shared_documents: sharedDocuments,
    runs_at: runAt.toISOString(),
    counts,
    created_at: erasure.createdAt.toISOString(),
    finished_at: erasure.finishedAt?.toISOString() ?? null,
  };
}
