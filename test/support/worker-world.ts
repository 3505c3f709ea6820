import type { Pressure } from '#libs/http';
import { IngestionWorker } from '../../apps/api/src/ingestion/jobs/ingestion.worker.js';
import type { ClaimedJob } from '../../apps/api/src/ingestion/jobs/job.js';
import { IngestionNotifications } from '../../apps/api/src/ingestion/jobs/notifications.js';
import { WorkerLiveness } from '../../apps/api/src/ingestion/jobs/worker-liveness.js';
import type { JobOutcome, JobRunner } from '../../apps/api/src/ingestion/workflow/job-runner.js';
import { documentMaker, type Owner, workerConfig } from './documents.js';
import { testDatabase, type TestDatabase } from './test-database.js';

/** Does with each job what the test says, and remembers which jobs it was given. */
export class FakeRunner implements Pick<JobRunner, 'run'> {
  readonly jobs: ClaimedJob[] = [];
  readonly given = new Map<string, PromiseWithResolvers<ClaimedJob>>();

  constructor(private readonly work: (job: ClaimedJob, signal: AbortSignal) => Promise<JobOutcome>) {}

  async run(job: ClaimedJob, signal: AbortSignal): Promise<JobOutcome> {
    this.jobs.push(job);
    this.seen(job.documentId).resolve(job);
    return this.work(job, signal);
  }

  seen(documentId: string): PromiseWithResolvers<ClaimedJob> {
    const seen = this.given.get(documentId) ?? Promise.withResolvers<ClaimedJob>();
    this.given.set(documentId, seen);
    return seen;
  }
}

interface Started extends Partial<ReturnType<typeof workerConfig>> {
  url?: string;
  isFull?: () => boolean;
  liveness?: WorkerLiveness;
}

/** A queue of one tenant, and the workers that a test starts on it. */
export class WorkerWorld {
  owner!: Owner;
  private stops: (() => Promise<void>)[] = [];

  private constructor(readonly db: TestDatabase) {}

  static async start(): Promise<WorkerWorld> {
    return new WorkerWorld(await testDatabase());
  }

  /** Before each test. */
  async begin(): Promise<void> {
    await this.db.owner.query('delete from document');
    this.owner = await this.db.createTenant();
  }

  /** After each test. */
  async stopWorkers(): Promise<void> {
    for (const stop of this.stops.splice(0).reverse()) await stop();
  }

  close(): Promise<void> {
    return this.db.close();
  }

  /** As somebody else would, without a worker. */
  addDocument(): Promise<string> {
    return documentMaker(this.db).addDocument(this.owner);
  }

  startWorker(
    runner: FakeRunner,
    { url = this.db.appUrl, isFull = () => false, liveness = new WorkerLiveness(), ...rest }: Started = {},
  ) {
    const config = workerConfig({ pollMs: 100, ...rest });
    const maker = documentMaker(this.db, config);
    const notifications = new IngestionNotifications(url);
    const worker = new IngestionWorker(
      maker.jobs,
      runner as unknown as JobRunner,
      notifications,
      { sheds: isFull } as unknown as Pressure,
      liveness,
      config,
    );
    notifications.onModuleInit();
    worker.onApplicationBootstrap();
    this.stops.push(async () => {
      await worker.beforeApplicationShutdown();
      await notifications.onModuleDestroy();
    });
    return { ...maker, worker, notifications };
  }

  async stateOf(id: string): Promise<{ state: string; lease_until: Date }> {
    const { rows } = await this.db.owner.query(`select state, lease_until from job where document_id = $1`, [
      id,
    ]);
    return rows[0];
  }

  /** A notification that is sent before the listener is connected is lost, which only costs a poll. */
  async listening(): Promise<void> {
    for (;;) {
      const { rowCount } = await this.db.owner.query(
        `select from pg_stat_activity where application_name = 'navigator-listen' and query like 'listen%'
           and datname = current_database() and state = 'idle'`,
      );
      if (rowCount) return;
    }
  }
}

/** What a runner does that has nothing to do. */
export const finishing = (maker: () => ReturnType<typeof documentMaker>) => async (job: ClaimedJob) => {
  await maker().jobs.fenced(job, (tx) => maker().jobs.finish(tx, job, 'done'));
  return 'done' as const;
};

export function untilAborted(signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve) =>
    signal.addEventListener('abort', () => resolve(signal.reason), { once: true }),
  );
}
