import { Injectable } from '@nestjs/common';
import { PassageStore } from '../../../rag/index.js';
import { DocumentStore } from '../../documents/document.store.js';
import { unpackPart } from '../../extraction/packed-part.js';
import { sumOf } from '../../extraction/part-detail.js';
import { PartStore } from '../../extraction/part.store.js';
import { JobStore } from '../../jobs/job.store.js';
import type { Block } from '../../parsing/index.js';
import { makePassages } from '../../passages/make-passages.js';
import { DocumentRejected, type StageOutcome, type StageWork, type Task } from '../stage-work.js';

/**
 * Cuts the document into passages. They and the switch to their generation become visible in one transaction, so a
 * question sees all of them or none.
 */
@Injectable()
export class StructureStage implements StageWork {
  constructor(
    private readonly jobs: JobStore,
    private readonly parts: PartStore,
    private readonly documents: DocumentStore,
    private readonly passages: PassageStore,
  ) {}

  async run({ job }: Task): Promise<StageOutcome> {
    const { tenantId, documentId, generation } = job;
    const key = { documentId, stage: 'extract' as const };
    const { plan, details } = await this.jobs.fenced(job, async (tx) => ({
      plan: await this.parts.findPlan(tx, key),
      details: await this.parts.listDetails(tx, key),
    }));
    const { cells, cellsWithoutHeader } = sumOf(details);
    const tables = { tableCells: cells, tableCellsWithoutHeader: cellsWithoutHeader };
    const blocks: Block[] = [];
    for (let ordinal = 0; ordinal < details.length; ordinal += 1) {
      const packed = await this.jobs.fenced(job, (tx) => this.parts.result(tx, key, ordinal));
      blocks.push(...(await unpackPart(packed)).blocks);
    }
    const passages = makePassages({ blocks });
    if (passages.length === 0) throw new DocumentRejected('no-text', 'No text was found in the document.');
    return {
      detail: { passages: passages.length },
      evidence: { passages: passages.length, ...tables },
      commit: async (tx) => {
        await this.passages.replaceGeneration(tx, { tenantId, documentId, generation }, passages);
        await this.documents.publishLexical(tx, documentId, {
          generation,
          pageCount: plan?.pageCount ?? null,
          passageCount: passages.length,
        });
      },
    };
  }
}
