import { Injectable } from '@nestjs/common';
import { DocumentStore } from '../../documents/document.store.js';
import { JobStore } from '../../jobs/job.store.js';
import { assess } from '../assessment.js';
import type { StageOutcome, StageWork, Task } from '../stage-work.js';
import { StageStore } from '../stage.store.js';
import { unpackExtracted } from './extract.stage.js';

/** Says how well the document could be read. It needs no vectors, so it runs beside the embedding. */
@Injectable()
export class AssessStage implements StageWork {
  constructor(
    private readonly jobs: JobStore,
    private readonly stages: StageStore,
    private readonly documents: DocumentStore,
  ) {}

  async run({ job }: Task): Promise<StageOutcome> {
    const [checkpoint, passageCount] = await this.jobs.fenced(job, async (tx) => [
      await this.stages.result(tx, job.documentId, 'extract'),
      (await this.documents.find(tx, job.documentId))?.passageCount ?? 0,
    ]);
    const assessment = await assess(await unpackExtracted(checkpoint), passageCount);
    return {
      detail: {
        pages_without_text: assessment.pagesWithoutText.length,
        language: assessment.language,
        garbled_ratio: assessment.garbledRatio,
      },
      commit: (tx) => this.documents.saveAssessment(tx, job.documentId, assessment),
    };
  }
}
