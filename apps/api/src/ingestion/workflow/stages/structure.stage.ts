import { Injectable } from '@nestjs/common';
import { PassageStore } from '../../../rag/index.js';
import { DocumentStore } from '../../documents/document.store.js';
import { JobStore } from '../../jobs/job.store.js';
import { makePassages } from '../../passages/make-passages.js';
import { DocumentRejected, type StageOutcome, type StageWork, type Task } from '../stage-work.js';
import { StageStore } from '../stage.store.js';
import { unpackExtracted } from './extract.stage.js';

/**
 * Cuts the document into passages. They and the switch to their generation become visible in one transaction, so a
 * question sees all of them or none.
 */
@Injectable()
export class StructureStage implements StageWork {
  constructor(
    private readonly jobs: JobStore,
    private readonly stages: StageStore,
    private readonly documents: DocumentStore,
    private readonly passages: PassageStore,
  ) {}

  async run({ job }: Task): Promise<StageOutcome> {
    const { tenantId, documentId, generation } = job;
    const checkpoint = await this.jobs.fenced(job, (tx) => this.stages.result(tx, documentId, 'extract'));
    const extracted = await unpackExtracted(checkpoint);
    const passages = makePassages(extracted);
    if (passages.length === 0) throw new DocumentRejected('no-text', 'No text was found in the document.');
    return {
      detail: { passages: passages.length },
      commit: async (tx) => {
        await this.passages.replaceGeneration(tx, { tenantId, documentId, generation }, passages);
        await this.documents.publishLexical(tx, documentId, {
          generation,
          pageCount: extracted.pageCount,
          passageCount: passages.length,
        });
      },
    };
  }
}
