import type { ClaimedRun, Counts, RunState } from './run.store.js';

/** What becomes of documents that others see too. */
export type SharedDocuments = 'transfer' | 'delete';

/** Somebody who is to be forgotten, from when that was asked for to its receipt. */
export interface Erasure {
  tenantId: string;
  id: string;
  /** null once it is done: a receipt names nobody. */
  userId: string | null;
  requestedBy: string | null;
  /** Who takes over what is the tenant's rather than his. */
  heirId: string | null;
  sharedDocuments: SharedDocuments;
  wasSuspended: boolean;
  state: RunState;
  runAt: Date;
  counts: Counts;
  createdAt: Date;
  finishedAt: Date | null;
}

export interface NewErasure {
  tenantId: string;
  id: string;
  userId: string;
  requestedBy: string;
  heirId: string;
  sharedDocuments: SharedDocuments;
  wasSuspended: boolean;
  /** Until then it can be taken back. */
  graceDays: number;
}

/** One in the hands of a worker. */
export interface ErasureRun extends ClaimedRun {
  userId: string;
  heirId: string;
  sharedDocuments: SharedDocuments;
}
