import type { EntityManager } from 'typeorm';
import type { Passage } from '../../rag/index.js';
import type { Document } from '../documents/document.js';
import type { DocumentChange } from '../documents/document.store.js';
import type { ExtractionPlan } from '../extraction/extractor.js';
import type { PartDetail } from '../extraction/part-detail.js';
import type { ClaimedJob } from '../jobs/job.js';
import type { StructureStep } from '../parsing/index.js';
import type { Gate, GateEvidence } from './gates/index.js';
import type { StageName } from './ingestion-stages.js';

/** One document on its way through the workflow. */
export interface Task {
  job: ClaimedJob;
  document: Document;
  /**
   * A sign of life, to be given whenever the work gets on (a part read, a page recognised) and nothing of it is
   * durable yet. A job without durable progress and without a sign is given to another worker.
   */
  alive(): void;
  /** What an attempt before this one may have left in the database, which nobody but the holder of the job changes. */
  readonly leftovers: Leftovers;
  /** A small file as it was just checked, so that it need not be read again. */
  content?: Buffer;
  /** A small document as it was just read, so that the next stages need not read it out of the database. */
  justRead?: JustRead;
  /** All of its passages, likewise. */
  justCut?: { passages: readonly Passage[]; language: string | null };
  /** Every passage has its vector, by this attempt. */
  isEmbedded?: boolean;
}

/** Either cut into passages already, or its only part, packed. */
export type JustRead = { plan: ExtractionPlan; detail: PartDetail } & (
  { structure: StructureStep; packed?: undefined } | { structure?: undefined; packed: Buffer }
);

/** Whether there is something of the document beside its row. */
export interface Leftovers {
  /** A plan of its parts, or parts. */
  parts: boolean;
  /** Passages of the generation that the job makes. */
  passages: boolean;
  /** That opens the file. */
  password: boolean;
}

/** What a stage leaves. All of it becomes durable in one transaction, together with the stage's checkpoint. */
export interface StageOutcome {
  /** Shown to whoever watches the document: numbers and codes, never text of the document. */
  detail?: Record<string, unknown>;
  /** What the quality gate of the stage judges; each stage fills what it knows. */
  evidence?: GateEvidence;
  /** For the stages after this one; dropped when the document is published. */
  result?: Buffer;
  /** What becomes of the row of the document when the stage is done. */
  document?: DocumentChange;
  /** What only the stages after this one need; not written when they have been done meanwhile. */
  keep?(tx: EntityManager): Promise<void>;
  /** Changes that must be visible exactly when the stage is done. */
  commit?(tx: EntityManager): Promise<void>;
}

/** The work of a stage. It writes only in the outcome's `commit` or through `JobStore.fenced`. */
export interface StageWork {
  run(task: Task, signal: AbortSignal): Promise<StageOutcome>;
}

/** The work behind each name in the table of stages. */
export abstract class StageWorks {
  abstract readonly works: Readonly<Record<StageName, StageWork>>;
}

/** Trying again would end the same way: the document fails, with a code that clients know and a sentence for people. */
export class DocumentRejected extends Error {
  constructor(
    readonly code: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'DocumentRejected';
  }
}

/** Trying again did not help, or the work took its process down with it too often. */
export class AttemptsExhausted extends DocumentRejected {
  constructor(what: string, options?: ErrorOptions) {
    super('attempts-exhausted', `${what} You can have it tried again.`, options);
    this.name = 'AttemptsExhausted';
  }
}

/** The quality gate of a stage let nothing through, and nobody could change that. */
export class GateClosed extends DocumentRejected {
  constructor(
    reason: { code: string; message: string },
    readonly gate: Gate,
  ) {
    super(reason.code, reason.message);
    this.name = 'GateClosed';
  }
}

/** The job is parked until a person has decided; that is already written. */
export class ReviewNeeded extends Error {
  constructor() {
    super('A person has to decide about the document');
    this.name = 'ReviewNeeded';
  }
}
