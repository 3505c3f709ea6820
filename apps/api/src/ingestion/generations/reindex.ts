import type { Priority } from '../jobs/job.js';

/** From where documents are made anew: by reading the file, by cutting it into passages, or by embedding these. */
export const REINDEX_STAGES = ['extract', 'structure', 'embed'] as const;
export type ReindexStage = (typeof REINDEX_STAGES)[number];
export type ReindexScope = { document_ids: string[] } | { collection: string } | { everything: true };

export const REINDEX_STATES = ['running', 'cancelled', 'finished', 'rolling_back', 'rolled_back'] as const;
export type ReindexState = (typeof REINDEX_STATES)[number];
export const REINDEX_ITEM_STATES = [
  'waiting',
  'running',
  'switched',
  'failed',
  'skipped',
  'cancelled',
  'rolled_back',
] as const;
/** `switched`: questions find what was made anew. In all others but `running` they find what they found before. */
export type ReindexItemState = (typeof REINDEX_ITEM_STATES)[number];

/** An order to make documents anew, in the background. */
export interface Reindex {
  id: string;
  createdBy: string;
  /** Its ids are not kept here but as items. */
  scope: { documents: number } | Exclude<ReindexScope, { document_ids: string[] }>;
  from: ReindexStage;
  reason: string | null;
  state: ReindexState;
  createdAt: Date;
  finishedAt: Date | null;
}

export interface ReindexItem {
  documentId: string;
  state: ReindexItemState;
  reasonCode: string | null;
  /** null when the document is gone. */
  documentStatus: string | null;
  begunAt: Date | null;
  settledAt: Date | null;
}

/** An item with what its order says. */
export interface OpenItem {
  reindexId: string;
  documentId: string;
  from: ReindexStage;
  correlationId: string | null;
  /** null until it is begun. */
  generation: number | null;
}

export interface BegunItem {
  generation: number;
  /** Of the job, before. */
  priority: Priority;
}
