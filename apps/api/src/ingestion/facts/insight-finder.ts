import { Injectable } from '@nestjs/common';
import { type Passage, PassageStore } from '../../rag/index.js';
import type { ClaimedJob } from '../jobs/job.js';
import { JobStore } from '../jobs/job.store.js';
import type { Insight } from './fact.js';
import { InsightCollector } from './insight-collector.js';

/** So many passages are read at a time: memory stays flat, and others have their turn in between. */
const PASSAGES_AT_ONCE = 200;

/** Reads a document's passages once and says what it is and says. */
@Injectable()
export class InsightFinder {
  constructor(
    private readonly jobs: JobStore,
    private readonly passages: PassageStore,
  ) {}

  /** @param alive is called whenever it gets on */
  async find(job: ClaimedJob, signal: AbortSignal, alive: () => void): Promise<Insight> {
    const collector = new InsightCollector();
    for (let after = -1; ;) {
      signal.throwIfAborted();
      const batch = await this.batch(job, after);
      for (const passage of batch) collector.add(passage);
      alive();
      if (batch.length < PASSAGES_AT_ONCE) return collector.result();
      after = batch.at(-1)!.ordinal;
    }
  }

  private batch(
    { tenantId, documentId, generation, ...job }: ClaimedJob,
    afterOrdinal: number,
  ): Promise<Passage[]> {
    const key = { tenantId, documentId, generation };
    return this.jobs.read({ ...key, ...job }, (tx) =>
      this.passages.listPassages(tx, key, { afterOrdinal, limit: PASSAGES_AT_ONCE }),
    );
  }
}
