import { Injectable } from '@nestjs/common';
import { type Passage, PassageStore } from '../../rag/index.js';
import type { ClaimedJob } from '../jobs/job.js';
import { JobStore } from '../jobs/job.store.js';
import type { Insight } from './fact.js';
import { InsightCollector, tellsOfPlan } from './insight-collector.js';
import { FactReader } from './model/fact-reader.js';
import { mergeFacts } from './model/merge-facts.js';
import { TellingPassages } from './model/telling-passages.js';

/** So many passages are read at a time: memory stays flat, and others have their turn in between. */
const PASSAGES_AT_ONCE = 200;

/** Reads a document's passages once and says what it is and says: by rules and, where that is wanted, by a chat model. */
@Injectable()
export class InsightFinder {
  constructor(
    private readonly jobs: JobStore,
    private readonly passages: PassageStore,
    private readonly reader: FactReader,
  ) {}

  /**
   * @param alive is called whenever it gets on
   * @param given all passages, for who has them; else they are read out of the database
   */
  async find(
    job: ClaimedJob,
    signal: AbortSignal,
    alive: () => void,
    given?: readonly Passage[],
  ): Promise<Insight> {
    const collector = new InsightCollector();
    const telling = new TellingPassages();
    for (let after: number | undefined = -1; after !== undefined;) {
      signal.throwIfAborted();
      const batch: readonly Passage[] = given ?? (await this.batch(job, after));
      for (const passage of batch) {
        collector.add(passage);
        if (this.reader.isOn) telling.add(passage);
      }
      alive();
      after = given || batch.length < PASSAGES_AT_ONCE ? undefined : batch.at(-1)!.ordinal;
    }
    const insight = collector.result();
    const passages = tellsOfPlan(insight.kind) ? telling.result() : [];
    const { facts, model, reading } = await this.reader.read(job, passages, signal, alive);
    if (!model) return { ...insight, reading };
    return { ...insight, facts: mergeFacts(insight.facts, facts), foundBy: model, reading };
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
