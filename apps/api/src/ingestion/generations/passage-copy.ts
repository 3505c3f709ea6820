import { Injectable } from '@nestjs/common';
import { PassageStore } from '../../rag/index.js';
import { JobStore } from '../jobs/job.store.js';
import { notifyDocumentChanged } from '../jobs/notifications.js';
import { DocumentRejected, type StageOutcome, type Task } from '../workflow/stage-work.js';
import { StageStore } from '../workflow/stage.store.js';
import { GenerationStore } from './generation.store.js';

/** Passages that are copied in one transaction, with their postings: a second or two. Whole blocks of postings. */
const PASSAGES_AT_ONCE = 4_096;

/**
 * The passages of a generation in another one, for new vectors of the same text. Every batch is durable by itself; what
 * is there says where to go on.
 */
@Injectable()
export class PassageCopy {
  constructor(
    private readonly jobs: JobStore,
    private readonly stages: StageStore,
    private readonly passages: PassageStore,
    private readonly generations: GenerationStore,
  ) {}

  async run(task: Task, copyOf: number, signal: AbortSignal): Promise<StageOutcome> {
    const { job } = task;
    const source = { ...job, generation: copyOf };
    const [last, copied, hidden] = await this.jobs.read(job, (tx) =>
      Promise.all([
        this.passages.lastOrdinal(tx, source),
        this.passages.lastOrdinal(tx, job),
        this.generations.find(tx, job.documentId, copyOf),
      ]),
    );
    const { pageCount } = hidden ?? task.document;
    const total = last + 1;
    for (let first = copied + 1; first < total; first += PASSAGES_AT_ONCE) {
      signal.throwIfAborted();
      await this.copy(task, copyOf, first, total);
      task.alive();
    }
    return {
      detail: { passages: total, copy_of: copyOf },
      commit: async (tx) => {
        // It may have been removed meanwhile, when a person has gone back behind it.
        if (total === 0 || (await this.passages.lastOrdinal(tx, source)) !== last) throw new CopiedTooLate();
        await this.generations.savePassages(tx, job.documentId, {
          generation: job.generation,
          pageCount,
          passageCount: total,
        });
      },
    };
  }

  private async copy({ job }: Task, copyOf: number, first: number, total: number): Promise<void> {
    await this.jobs.fenced(job, async (tx) => {
      const range = { first, count: PASSAGES_AT_ONCE };
      const count = await this.passages.copyBatch(tx, job, copyOf, range);
      await Promise.all([
        this.jobs.noteProgress(tx, job),
        this.stages.addProgress(tx, job.documentId, 'structure', count / total),
        notifyDocumentChanged(tx, job.documentId),
      ]);
    });
  }
}

class CopiedTooLate extends DocumentRejected {
  constructor() {
    super(
      'generation-gone',
      'The passages that were to be embedded anew are not kept any more. You can have it tried again from an earlier stage.',
    );
  }
}
