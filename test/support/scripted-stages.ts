import type { StageName } from '../../apps/api/src/ingestion/workflow/ingestion-stages.js';
import { STAGE_NAMES } from '../../apps/api/src/ingestion/workflow/ingestion-stages.js';
import {
  type StageOutcome,
  StageWorks,
  type Task,
} from '../../apps/api/src/ingestion/workflow/stage-work.js';
import type { documentMaker } from './documents.js';

export type RunStage = (task: Task, signal: AbortSignal) => Promise<StageOutcome>;

/** Stages that leave a mark in the document's tags, so that a lost or doubled effect shows; some as the test says. */
export class ScriptedStages extends StageWorks {
  readonly works: StageWorks['works'];

  constructor(
    { documents, jobs }: Pick<ReturnType<typeof documentMaker>, 'documents' | 'jobs'>,
    instead: Partial<Record<StageName, RunStage>> = {},
  ) {
    super();
    const mark =
      (name: StageName): RunStage =>
      async ({ job }) => ({
        result: Buffer.from(`result of ${name}`),
        commit: async (tx) => {
          await tx.query(`update document set tags = tags || $2::text where id = $1`, [job.documentId, name]);
          if (name !== 'publish') return;
          await documents.change(tx, job.documentId, { status: 'ready' });
          await jobs.finish(tx, job, 'done');
        },
      });
    const entries = STAGE_NAMES.map((name) => [name, { run: instead[name] ?? mark(name) }] as const);
    this.works = Object.fromEntries(entries) as unknown as StageWorks['works'];
  }
}
