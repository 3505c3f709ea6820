import { Inject, Injectable } from '@nestjs/common';
import { InvalidConfiguration } from '#libs/config';
import { counter } from '#libs/observability';
import { type Passage, readingDigest, type ReadingRequest, StructuredReader } from '../../../rag/index.js';
import type { ClaimedJob } from '../../jobs/job.js';
import { JobStore } from '../../jobs/job.store.js';
import type { Fact, ModelReading } from '../fact.js';
import { type FactsConfig, factsSection } from '../facts.config.js';
import { FACT_INSTRUCTIONS, FactForm, FactList } from './fact-form.js';
import { groundFact } from './ground-fact.js';
import { type KeptReading, ReadingStore } from './reading.store.js';

const readings = counter({
  name: 'navigator_fact_readings_total',
  help: 'Documents that a model was to find facts in, by what came of it',
  labelNames: ['outcome'],
});
const dropped = counter({
  name: 'navigator_facts_dropped_total',
  help: 'Facts of models that were left out, by what was wrong with them',
  labelNames: ['reason'],
});

/** Does not matter to the model, and a document that is renamed is the same document. */
const TITLE = 'the document';

export interface FactsRead {
  facts: Fact[];
  /** Who wrote them; null when nobody did. */
  model: string | null;
  reading: ModelReading;
}

/**
 * Lets a chat model find facts in the passages of a document. Whatever becomes of the model, the document goes on: then
 * there are no facts of it, and the reading says why.
 */
@Injectable()
export class FactReader {
  constructor(
    private readonly reader: StructuredReader,
    private readonly store: ReadingStore,
    private readonly jobs: JobStore,
    @Inject(factsSection.token) private readonly config: FactsConfig,
  ) {
    if (this.isOn && reader.models.length === 0)
      throw new InvalidConfiguration([{ variable: 'CHAT_MODELS', message: 'is needed for FACTS_MODEL=on' }]);
  }

  get isOn(): boolean {
    return this.config.model === 'on';
  }

  /**
   * @param passages those that facts are likely to stand in
   * @param alive is called whenever it gets on
   * @throws LeaseLost, errors of the database, and the signal's reason
   */
  async read(
    job: ClaimedJob,
    passages: readonly Passage[],
    signal: AbortSignal,
    alive: () => void,
  ): Promise<FactsRead> {
    if (!this.isOn) return nothing('off');
    const found =
      passages.length === 0 ? nothing('nothing-to-read') : await this.find(job, passages, signal, alive);
    readings.inc({ outcome: found.reading.outcome });
    return found;
  }

  private async find(
    job: ClaimedJob,
    passages: readonly Passage[],
    signal: AbortSignal,
    alive: () => void,
  ): Promise<FactsRead> {
    const request = this.requestFor(job, passages);
    const { documentId } = job;
    const { models } = this.reader;
    const digest = readingDigest(request);
    const kept = await this.jobs.read(job, (tx) => this.store.find(tx, { documentId, digest, models }));
    if (kept) return grounded(kept, passages, 'cached');
    const result = await this.reader.read(request, { timeoutMs: this.config.modelTimeoutMs, alive }, signal);
    // What failed is not kept: whoever has the document processed again wants it tried again.
    if ('failure' in result) return nothing(result.failure);
    const written = { model: result.model, answer: result.value };
    // At once and not with the stage: a worker that dies in between would pay for it again.
    await this.jobs.fenced(job, (tx) => this.store.save(tx, { documentId, digest }, written));
    return grounded(written, passages, 'answered');
  }

  private requestFor(job: ClaimedJob, passages: readonly Passage[]): ReadingRequest<unknown> {
    return {
      tenantId: job.tenantId,
      instructions: FACT_INSTRUCTIONS,
      passages: passages.map((passage) => ({ ...passage, documentTitle: TITLE })),
      name: 'plan_facts',
      form: FactForm,
      schema: FactList,
      maxTokens: this.config.modelMaxTokens,
    };
  }
}

function grounded(
  { model, answer }: KeptReading,
  passages: readonly Passage[],
  outcome: ModelReading['outcome'],
): FactsRead {
  const { facts: written } = FactList.parse(answer);
  const facts: Fact[] = [];
  for (const each of written) {
    const fact = groundFact(each, passages);
    if (typeof fact === 'string') dropped.inc({ reason: fact });
    else facts.push(fact);
  }
  return { facts, model, reading: { outcome, dropped: written.length - facts.length } };
}

const nothing = (outcome: ModelReading['outcome']): FactsRead => ({
  facts: [],
  model: null,
  reading: { outcome, dropped: 0 },
});
