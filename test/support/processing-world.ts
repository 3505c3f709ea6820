import type { Pressure } from '#libs/http';
import { ControlService } from '../../apps/api/src/ingestion/control/control.service.js';
import { ControlStore } from '../../apps/api/src/ingestion/control/control.store.js';
import { DeadLetterStore } from '../../apps/api/src/ingestion/control/dead-letter.store.js';
import { IngestionController } from '../../apps/api/src/ingestion/control/ingestion.controller.js';
import type { DocumentBody } from '../../apps/api/src/ingestion/documents/document.dto.js';
import { DocumentsController } from '../../apps/api/src/ingestion/documents/documents.controller.js';
import { ProcessingController } from '../../apps/api/src/ingestion/documents/processing.controller.js';
import { IngestionWorker } from '../../apps/api/src/ingestion/jobs/ingestion.worker.js';
import { IngestionNotifications } from '../../apps/api/src/ingestion/jobs/notifications.js';
import { WorkerLiveness } from '../../apps/api/src/ingestion/jobs/worker-liveness.js';
import type { GateEvidence } from '../../apps/api/src/ingestion/workflow/gates/index.js';
import type { StageName } from '../../apps/api/src/ingestion/workflow/ingestion-stages.js';
import { JobRunner, type JobOutcome } from '../../apps/api/src/ingestion/workflow/job-runner.js';
import { StageStore } from '../../apps/api/src/ingestion/workflow/stage.store.js';
import { Embedder } from '../../apps/api/src/rag/index.js';
import { documentMaker, gateConfig, type Owner, workerConfig } from './documents.js';
import { documentProviders, ingestionApp, type IngestionApp } from './ingestion-app.js';
import { WordEmbedder } from './passages.js';
import { type RunStage, ScriptedStages } from './scripted-stages.js';
import { testDatabase, type TestDatabase } from './test-database.js';

/** What some stages do instead of what they always do. */
export type Script = Partial<Record<StageName, RunStage>>;

export interface ProcessingAnswer<T> {
  status: number;
  body: T;
}

export const stageOf = (body: DocumentBody, name: StageName) =>
  body.stages.find((stage) => stage.name === name)!;

/** Documents whose stages do what a test says, and the routes by which people lead their processing. */
export class ProcessingWorld {
  readonly maker: ReturnType<typeof documentMaker>;
  /** Of the test that runs. */
  owner!: Owner;
  private readonly stages = new StageStore();
  private readonly workers: (() => Promise<void>)[] = [];

  private constructor(
    readonly db: TestDatabase,
    readonly app: IngestionApp,
  ) {
    this.maker = documentMaker(db);
  }

  static async start(): Promise<ProcessingWorld> {
    const db = await testDatabase();
    const app = await ingestionApp(db, {
      controllers: [DocumentsController, ProcessingController, IngestionController],
      providers: [
        ...documentProviders,
        ControlService,
        ControlStore,
        DeadLetterStore,
        { provide: Embedder, useValue: new WordEmbedder() },
      ],
    });
    return new ProcessingWorld(db, app);
  }

  /** Nothing is left of the test before. */
  async begin(): Promise<void> {
    await this.db.owner.query('delete from document');
    await this.db.owner.query('delete from ingestion_control');
    this.owner = await this.db.createTenant();
  }

  async call<T = DocumentBody>(
    method: string,
    path: string,
    json?: object,
    { as = this.owner, role = 'member' as 'member' | 'manager' | 'admin' } = {},
  ): Promise<ProcessingAnswer<T>> {
    const response = await fetch(`${this.app.url}/v1${path}`, {
      method,
      headers: { ...this.app.as(as, role), ...(json && { 'content-type': 'application/json' }) },
      body: json && JSON.stringify(json),
    });
    return { status: response.status, body: (await response.json()) as T };
  }

  post<T = DocumentBody>(path: string, json?: object, options?: Parameters<ProcessingWorld['call']>[3]) {
    return this.call<T>('POST', path, json, options);
  }

  async document(id: string): Promise<DocumentBody> {
    return (await this.call('GET', `/documents/${id}`)).body;
  }

  runner(script: Script = {}): JobRunner {
    const { maker, stages } = this;
    const works = new ScriptedStages(maker, script);
    return new JobRunner(maker.jobs, stages, maker.documents, works, workerConfig(), gateConfig);
  }

  /** A job whose row is locked at the moment is passed over, so a worker may have to ask again. */
  async run(script: Script = {}): Promise<JobOutcome> {
    for (;;) {
      const job = await this.maker.jobs.claim('worker-1');
      if (job) return this.runner(script).run(job, new AbortController().signal);
    }
  }

  /** The stage as it always is, with this for its gate to judge. */
  seeing(name: StageName, evidence: GateEvidence): RunStage {
    const { works } = new ScriptedStages(this.maker);
    return (task, signal) => works[name].run(task, signal).then((outcome) => ({ ...outcome, evidence }));
  }

  /** A worker that neither a heartbeat nor a look at the queue wakes within the time of a test. */
  async startWorker(script: Script): Promise<void> {
    const notifications = new IngestionNotifications(this.db.appUrl);
    notifications.onModuleInit();
    const worker = new IngestionWorker(
      this.maker.jobs,
      this.runner(script),
      notifications,
      { sheds: () => false } as unknown as Pressure,
      new WorkerLiveness(),
      workerConfig({ leaseMs: 600_000, pollMs: 60_000 }),
    );
    this.workers.push(async () => {
      await worker.beforeApplicationShutdown();
      await notifications.onModuleDestroy();
    });
    for (let listening = 0; listening < 2;)
      listening = (
        await this.db.owner.query(
          `select from pg_stat_activity where application_name = 'navigator-listen' and query like 'listen%'
             and datname = current_database() and state = 'idle'`,
        )
      ).rowCount!;
    worker.onApplicationBootstrap();
  }

  async stopWorkers(): Promise<void> {
    for (const stop of this.workers.splice(0).reverse()) await stop();
  }

  async close(): Promise<void> {
    await this.app.close();
    await this.db.close();
  }
}
