import type { EntityManager } from 'typeorm';

/** Within a tenant: half an hour earlier or later in the queue than it would be, so that nothing waits for ever. */
export const PRIORITIES = ['low', 'normal', 'high'] as const;
export type Priority = (typeof PRIORITIES)[number];

/** As it stands in `job.priority`: -1, 0 or 1. */
export function rankOf(priority: Priority): number {
  return PRIORITIES.indexOf(priority) - 1;
}

export function priorityOfRank(rank: number): Priority {
  return PRIORITIES[rank + 1]!;
}

/** A job that this process holds. Whoever has the newest token holds it; everybody else writes nothing. */
export interface ClaimedJob {
  tenantId: string;
  documentId: string;
  /** The generation of passages that this job makes. */
  generation: number;
  /** A bigint, as PostgreSQL writes it. */
  fencingToken: string;
  /** Of the request that brought the document. */
  correlationId: string | null;
  /** How often in a row the worker that had it died, or fell silent, before anything of it was finished. */
  lostLeases: number;
  /** From when it could have run until it was claimed. */
  waitedMs: number;
  /** Tells the worker that holds it that the work gets on. */
  gotOn?(): void;
  /** Writes what is finished and not yet written. Gives what is to be called when that is committed. */
  writeOwed?(tx: EntityManager): Promise<() => void>;
  /** Its writes come one after another: they would wait for the same row anyway, each with a connection in its hands. */
  lastWrite?: Promise<unknown>;
}

/** Another worker has the job, or the document is gone: stop, and write nothing. */
export class LeaseLost extends Error {
  constructor(job: Pick<ClaimedJob, 'documentId'>) {
    super(`The job of document ${job.documentId} is no longer ours`);
    this.name = 'LeaseLost';
  }
}

/**
 * The job gave no sign of life for too long. Its lease is not renewed any more, so that another worker gets it; for
 * what goes on with it here that is the same as having lost it.
 */
export class JobStuck extends LeaseLost {
  constructor(job: Pick<ClaimedJob, 'documentId'>) {
    super(job);
    this.name = 'JobStuck';
  }
}
