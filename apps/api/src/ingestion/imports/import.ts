import type { Priority } from '../jobs/job.js';
import type { UploadFields } from '../uploads/upload.dto.js';

/** null: as each document's collection has it. */
type GivenVisibility = NonNullable<UploadFields['visibility']> | null;

/** What a person said about everything that comes in together. */
export interface ImportFields {
  visibility?: UploadFields['visibility'];
  collection?: string;
  tags: string[];
  priority?: Priority;
}

export type ImportState = 'running' | 'paused' | 'cancelled';
export const ITEM_STATES = ['waiting', 'running', 'accepted', 'refused', 'cancelled'] as const;
/** `accepted`: it is a document now. */
export type ItemState = (typeof ITEM_STATES)[number];
export const ITEM_KINDS = ['file', 'archive', 'entry', 'url'] as const;
/** An `archive` becomes its entries once a worker has looked into it. */
export type ItemKind = (typeof ITEM_KINDS)[number];

export interface Import {
  id: string;
  tenantId: string;
  ownerId: string;
  state: ImportState;
  visibility: GivenVisibility;
  collection: string | null;
  tags: string[];
  priority: Priority;
  /** A request still brings files. */
  isReceiving: boolean;
  /** From when the pace counts. */
  rateSince: Date;
  createdAt: Date;
  /** When nothing of it waited any more, and each of its documents rested. */
  finishedAt: Date | null;
}

export interface ImportItem {
  ordinal: number;
  kind: ItemKind;
  /** null, as the url, when it belongs to somebody else and is private. */
  name: string | null;
  url: string | null;
  state: ItemState;
  documentId: string | null;
  documentStatus: string | null;
  documentReasonCode: string | null;
  documentReasonDetail: string | null;
  /** The person had the document before. */
  isRepeat: boolean;
  reasonCode: string | null;
  reasonDetail: string | null;
  sizeBytes: number | null;
  attempts: number;
  settledAt: Date | null;
}

export interface NewItem {
  kind: ItemKind;
  name: string;
  url?: string;
  archiveSha256?: Buffer;
  entryIndex?: number;
  sizeBytes?: number;
  /** When it is settled as it comes. */
  accepted?: { documentId: string; isRepeat: boolean };
  refused?: Refusal;
}

export interface Refusal {
  code: string;
  message: string;
}

/** An item that this process holds, with what its import says. */
export interface ClaimedItem {
  tenantId: string;
  batchId: string;
  ordinal: number;
  kind: ItemKind;
  name: string;
  url: string | null;
  archiveSha256: Buffer | null;
  entryIndex: number | null;
  /** That failed, or were cut off. */
  attempts: number;
  claimId: string;
  ownerId: string;
  visibility: GivenVisibility;
  collection: string | null;
  tags: string[];
  priorityRank: number;
  correlationId: string | null;
}
