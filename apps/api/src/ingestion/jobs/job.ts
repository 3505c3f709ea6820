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
}

/** Another worker has the job, or the document is gone: stop, and write nothing. */
export class LeaseLost extends Error {
  constructor(job: Pick<ClaimedJob, 'documentId'>) {
    super(`The job of document ${job.documentId} is no longer ours`);
    this.name = 'LeaseLost';
  }
}
