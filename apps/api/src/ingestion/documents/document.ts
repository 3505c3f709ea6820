import { uuidv5 } from '#libs/database';
import type { Priority } from '../jobs/job.js';
import type { Gate } from '../workflow/gates/index.js';

export const DOCUMENT_STATUSES = [
  'queued',
  'processing',
  'needs_review',
  'ready',
  'failed',
  'cancelled',
] as const;
export type DocumentStatus = (typeof DOCUMENT_STATUSES)[number];
/** Those that change only when somebody asks for it. */
export const RESTING_STATUSES: ReadonlySet<DocumentStatus> = new Set([
  'needs_review',
  'ready',
  'failed',
  'cancelled',
]);
export const VISIBILITIES = ['private', 'shared', 'tenant', 'collection'] as const;
/**
 * Who may see a document besides its owner: nobody, those whom it is shared with, everybody of the tenant, or whoever
 * its collection is shared with.
 */
export type Visibility = (typeof VISIBILITIES)[number];
/** How the document can be found by a question: by words as soon as it is structured, by meaning when embedded. */
export type Answerable = 'none' | 'lexical' | 'semantic';

export interface Document {
  id: string;
  tenantId: string;
  ownerId: string;
  /** The document that this one came attached to; null for what was uploaded. */
  parentId: string | null;
  visibility: Visibility;
  collection: string | null;
  tags: string[];
  title: string;
  filename: string;
  mediaType: string;
  sizeBytes: number;
  sha256: Buffer;
  status: DocumentStatus;
  answerable: Answerable;
  /** Of its processing, among the documents of its tenant. */
  priority: Priority;
  liveGeneration: number | null;
  /** Of the passages that have vectors. */
  semanticGeneration: number | null;
  /** That the vectors are of. */
  embeddingModel: string | null;
  /** Until when the generation before the live one can be gone back to; null when there is none. */
  rollbackUntil: Date | null;
  pageCount: number | null;
  passageCount: number | null;
  reasonCode: string | null;
  reasonDetail: string | null;
  assessment: Assessment | null;
  createdAt: Date;
  updatedAt: Date;
}

export type NewDocument = Pick<
  Document,
  'id' | 'ownerId' | 'collection' | 'tags' | 'title' | 'filename' | 'mediaType' | 'sizeBytes' | 'sha256'
> & {
  /** As its collection has it, unless given. */
  visibility?: Visibility;
  parentId?: string;
};

/** What the extraction was worth: a person should know when a document was read badly. */
export interface Assessment {
  pages: number | null;
  pagesWithoutText: number[];
  passages: number;
  words: number;
  /** ISO 639-1; null when there is too little text to say. */
  language: string | null;
  /** 0 to 1: the share of characters that no writing system uses, such as those of a font without a mapping. */
  garbledRatio: number;
  /** Codes of what had to be left out. */
  warnings: string[];
  /** Whether the file opened only with its password, which is not kept. Absent where that is not so, or not known. */
  needsPassword?: boolean;
  /** Ids of passages that the embedding model refused: they are found by their words only. */
  passagesWithoutVector?: string[];
}

export interface StageState {
  name: string;
  status: 'pending' | 'running' | 'review' | 'done' | 'failed';
  attempts: number;
  /** 0 to 1, durable. */
  progress: number;
  detail: Record<string, unknown> | null;
  gate: Gate | null;
  /** Of the last attempt. */
  startedAt: Date | null;
  /** The progress that it began from. */
  startedProgress: number;
  /** When something of the attempt last became durable. */
  progressedAt: Date | null;
  finishedAt: Date | null;
}

/** As a stage stands before it has begun. */
export const pendingStage = (name: string): StageState => ({
  name,
  status: 'pending',
  attempts: 0,
  progress: 0,
  detail: null,
  gate: null,
  startedAt: null,
  startedProgress: 0,
  progressedAt: null,
  finishedAt: null,
});

/** Who asks. He sees his own documents and those that are shared with him; see `mayRead`. */
export interface Reader {
  tenantId: string;
  userId: string;
}

/** The same bytes, uploaded by the same person again, are the same document. */
export function documentId({ tenantId, userId }: Reader, sha256: Buffer): string {
  return uuidv5(tenantId, `document:${userId}:${sha256.toString('hex')}`);
}
