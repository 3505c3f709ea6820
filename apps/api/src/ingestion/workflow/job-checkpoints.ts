import type { JobStore } from '../jobs/job.store.js';
import { notifyDocumentChanged } from '../jobs/notifications.js';
import type { StageName } from './ingestion-stages.js';
import type { StageOutcome, Task } from './stage-work.js';
import type { StageStore } from './stage.store.js';
import type { Checkpoints } from './workflow.js';

/** The checkpoints of one job in PostgreSQL. Every step is fenced, so only the holder of the job gets on. */
export class JobCheckpoints implements Checkpoints<StageName, StageOutcome> {
  constructor(
    private readonly task: Task,
    private readonly jobs: JobStore,
    private readonly stages: StageStore,
  ) {}

  completed(): Promise<ReadonlySet<StageName>> {
    const { job } = this.task;
    return this.jobs.fenced(job, (tx) => this.stages.listDone(tx, job.documentId));
  }

  async begin(name: StageName): Promise<void> {
    const { job } = this.task;
    await this.jobs.fenced(job, async (tx) => {
      await this.stages.begin(tx, job.documentId, name);
      await notifyDocumentChanged(tx, job.documentId);
    });
  }

  async complete(name: StageName, outcome: StageOutcome): Promise<void> {
    const { job } = this.task;
    await this.jobs.fenced(job, async (tx) => {
      await this.jobs.noteProgress(tx, job);
      await outcome.commit?.(tx);
      await this.stages.complete(tx, job.documentId, name, outcome);
      await notifyDocumentChanged(tx, job.documentId);
    });
  }
}
