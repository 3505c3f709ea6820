import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { DocumentStore } from '../../documents/document.store.js';
import { PartStore } from '../../extraction/part.store.js';
import { standsBeside } from '../../generations/beside.js';
import { GenerationStore } from '../../generations/generation.store.js';
import { ReindexQueue } from '../../generations/reindex-queue.js';
import type { ClaimedJob } from '../../jobs/job.js';
import { JobStore } from '../../jobs/job.store.js';
import { DocumentPasswords } from '../../passwords/document-passwords.js';
import type { StageOutcome, StageWork, Task } from '../stage-work.js';

/**
 * The document is ready and its job done, in the transaction of the last checkpoint. With it a generation that was made
 * beside another one takes its place, all of it in one moment.
 */
@Injectable()
export class PublishStage implements StageWork {
  constructor(
    private readonly jobs: JobStore,
    private readonly parts: PartStore,
    private readonly documents: DocumentStore,
    private readonly generations: GenerationStore,
    private readonly reindexes: ReindexQueue,
    private readonly passwords: DocumentPasswords,
  ) {}

  async run(task: Task): Promise<StageOutcome> {
    const { job, leftovers } = task;
    return {
      document: { status: 'ready' },
      commit: async (tx) => {
        if (standsBeside(task)) await this.switchTo(tx, job);
        await Promise.all([
          !task.isEmbedded && this.documents.notePassagesWithoutVector(tx, job.documentId),
          leftovers.parts && this.parts.clear(tx, job.documentId),
          leftovers.password && this.passwords.forget(tx, job.documentId),
          this.jobs.finish(tx, job, 'done'),
        ]);
      },
    };
  }

  private async switchTo(tx: EntityManager, { documentId, generation }: ClaimedJob): Promise<void> {
    if (await this.generations.switchTo(tx, documentId, generation))
      await this.reindexes.noteSwitched(tx, documentId, generation);
  }
}
