import { Injectable } from '@nestjs/common';
import { DocumentStore } from '../../documents/document.store.js';
import { unpackPart } from '../../extraction/packed-part.js';
import { sumOf, textsOf } from '../../extraction/part-detail.js';
import { PartStore } from '../../extraction/part.store.js';
import type { ClaimedJob } from '../../jobs/job.js';
import { JobStore } from '../../jobs/job.store.js';
import { assess, LANGUAGE_SAMPLE_CHARACTERS, sampleOf } from '../assessment.js';
import type { StageOutcome, StageWork, Task } from '../stage-work.js';

/** The language is told from no more parts than these. */
const SAMPLED_PARTS = 10;

/** Says how well the document could be read. It needs no vectors, so it runs beside the embedding. */
@Injectable()
export class AssessStage implements StageWork {
  constructor(
    private readonly jobs: JobStore,
    private readonly parts: PartStore,
    private readonly documents: DocumentStore,
  ) {}

  async run({ job }: Task): Promise<StageOutcome> {
    const { documentId } = job;
    const { document, details } = await this.jobs.fenced(job, async (tx) => ({
      document: await this.documents.find(tx, documentId),
      details: await this.parts.listDetails(tx, { documentId, stage: 'extract' }),
    }));
    const assessment = await assess({
      pageCount: document?.pageCount ?? null,
      passageCount: document?.passageCount ?? 0,
      detail: sumOf(details),
      sample: await this.sample(job, details.length),
    });
    return {
      detail: {
        pages_without_text: assessment.pagesWithoutText.length,
        language: assessment.language,
        garbled_ratio: assessment.garbledRatio,
      },
      evidence: { language: assessment.language },
      commit: (tx) => this.documents.saveAssessment(tx, documentId, assessment),
    };
  }

  private async sample(job: ClaimedJob, count: number): Promise<string[]> {
    const step = Math.max(1, Math.ceil(count / SAMPLED_PARTS));
    const share = LANGUAGE_SAMPLE_CHARACTERS / Math.ceil(count / step);
    const samples: string[] = [];
    for (let ordinal = 0; ordinal < count; ordinal += step) {
      const key = { documentId: job.documentId, stage: 'extract' as const };
      const packed = await this.jobs.fenced(job, (tx) => this.parts.result(tx, key, ordinal));
      const { blocks } = await unpackPart(packed);
      samples.push(sampleOf(blocks.flatMap(textsOf), share));
    }
    return samples;
  }
}
