import { Injectable } from '@nestjs/common';
import { DocumentStore } from '../../documents/document.store.js';
import { PartStore } from '../../extraction/part.store.js';
import { JobStore } from '../../jobs/job.store.js';
import { DocumentPasswords } from '../../passwords/document-passwords.js';
import type { StageOutcome, StageWork, Task } from '../stage-work.js';

/** The document is ready and its job done, in the transaction of the last checkpoint. */
@Injectable()
export class PublishStage implements StageWork {
  constructor(
    private readonly jobs: JobStore,
    private readonly parts: PartStore,
    private readonly documents: DocumentStore,
    private readonly passwords: DocumentPasswords,
  ) {}

  async run({ job }: Task): Promise<StageOutcome> {
    return {
      commit: async (tx) => {
        await Promise.all([
          this.documents.notePassagesWithoutVector(tx, job.documentId),
          this.documents.setReady(tx, job.documentId),
          this.parts.clear(tx, job.documentId),
          this.passwords.forget(tx, job.documentId),
          this.jobs.finish(tx, job, 'done'),
        ]);
      },
    };
  }
}
