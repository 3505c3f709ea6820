import { type ClaimedJob } from '../../apps/api/src/ingestion/jobs/job.js';
import type { StageName } from '../../apps/api/src/ingestion/workflow/ingestion-stages.js';
import { JobRunner } from '../../apps/api/src/ingestion/workflow/job-runner.js';
import { StageStore } from '../../apps/api/src/ingestion/workflow/stage.store.js';
import { documentMaker, gateConfig, type Owner, workerConfig } from './documents.js';
import { type RunStage, ScriptedStages } from './scripted-stages.js';
import { testDatabase, type TestDatabase } from './test-database.js';

/** Checkpoints are written one by one unless a test says otherwise. */
const config = workerConfig({ retryDelayMs: 60_000, checkpointDelayMs: 0 });

/** A queue of one tenant, and a worker that takes its jobs when a test says so, through stages that leave marks. */
export class RunnerWorld {
  owner!: Owner;
  private readonly stages = new StageStore();

  private constructor(
    readonly db: TestDatabase,
    readonly maker: ReturnType<typeof documentMaker>,
  ) {}

  static async start(): Promise<RunnerWorld> {
    const db = await testDatabase();
    return new RunnerWorld(db, documentMaker(db, config));
  }

  /** Before each test. */
  async begin(): Promise<void> {
    await this.db.owner.query('delete from document');
    this.owner = await this.db.createTenant();
  }

  close(): Promise<void> {
    return this.db.close();
  }

  addDocument(): Promise<string> {
    return this.maker.addDocument(this.owner);
  }

  runner(instead: Partial<Record<StageName, RunStage>> = {}, checkpointDelayMs = 0): JobRunner {
    const { jobs, documents } = this.maker;
    const works = new ScriptedStages(this.maker, instead);
    return new JobRunner(jobs, this.stages, documents, works, { ...config, checkpointDelayMs }, gateConfig);
  }

  /** A stage as it is where a test says nothing else. */
  stage(name: StageName): RunStage {
    const { works } = new ScriptedStages(this.maker);
    return (task, signal) => works[name].run(task, signal);
  }

  /** A job whose row is locked at the moment is passed over, so a worker may have to ask again. */
  async claimed(): Promise<ClaimedJob> {
    for (;;) {
      const job = await this.maker.jobs.claim('worker-1');
      if (job) return job;
    }
  }

  /** As after a SIGKILL: nobody is told, the lease just ends. Rows that a sibling stage is writing are passed over. */
  async takeAway(): Promise<void> {
    while ((await this.maker.jobs.reclaim(['worker-1'])) === 0);
  }

  async makeDue(): Promise<void> {
    await this.db.owner.query(`update job set run_at = now()`);
  }

  async state(id: string) {
    const { rows } = await this.db.owner.query(
      `select d.status, d.tags, d.reason_code, j.state, j.run_at > now() as later
       from document d join job j on j.document_id = d.id where d.id = $1`,
      [id],
    );
    const stages = await this.db.owner.query(
      `select name, status, attempts from job_stage where document_id = $1`,
      [id],
    );
    const byName = Object.fromEntries(stages.rows.map(({ name, ...rest }) => [name, rest]));
    return { ...rows[0], stages: byName };
  }
}
