import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Pressure } from '#libs/http';
import { currentContext } from '#libs/observability';
import { IngestionWorker } from '../../../apps/api/src/ingestion/jobs/ingestion.worker.js';
import { type ClaimedJob, JobStuck, LeaseLost } from '../../../apps/api/src/ingestion/jobs/job.js';
import { WorkerLiveness } from '../../../apps/api/src/ingestion/jobs/worker-liveness.js';
import { IngestionNotifications } from '../../../apps/api/src/ingestion/jobs/notifications.js';
import type { JobOutcome, JobRunner } from '../../../apps/api/src/ingestion/workflow/job-runner.js';
import { documentMaker, type Owner, workerConfig } from '../../support/documents.js';
import { testDatabase, type TestDatabase } from '../../support/test-database.js';

let db: TestDatabase;
let owner: Owner;
let stop: (() => Promise<void>)[];

beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db.close());
beforeEach(async () => {
  await db.owner.query('delete from document');
  owner = await db.createTenant();
  stop = [];
});
afterEach(async () => {
  for (const one of stop.reverse()) await one();
});

/** Does with each job what the test says, and remembers which jobs it was given. */
class FakeRunner implements Pick<JobRunner, 'run'> {
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

function start(
  runner: FakeRunner,
  {
    url = db.appUrl,
    isFull = () => false,
    liveness = new WorkerLiveness(),
    ...rest
  }: Parameters<typeof workerConfig>[0] & {
    url?: string;
    isFull?: () => boolean;
    liveness?: WorkerLiveness;
  } = {},
) {
  const config = workerConfig({ pollMs: 100, ...rest });
  const maker = documentMaker(db, config);
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
  stop.push(async () => {
    await worker.beforeApplicationShutdown();
    await notifications.onModuleDestroy();
  });
  return { ...maker, worker, notifications };
}

const finishing = (maker: () => ReturnType<typeof documentMaker>) => async (job: ClaimedJob) => {
  await maker().jobs.fenced(job, (tx) => maker().jobs.finish(tx, job, 'done'));
  return 'done' as const;
};

function untilAborted(signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve) =>
    signal.addEventListener('abort', () => resolve(signal.reason), { once: true }),
  );
}

describe('a worker', () => {
  it('takes a job that was there before it started', async () => {
    const id = await documentMaker(db).addDocument(owner);
    const runner = new FakeRunner(finishing(() => maker));
    const maker = start(runner);
    expect((await runner.seen(id).promise).tenantId).toBe(owner.tenantId);
  });

  it('takes no job while its process is too full, and takes it as soon as there is room', async () => {
    const looked = Promise.withResolvers<void>();
    let full = true;
    let looks = 0;
    const isFull = () => {
      if ((looks += 1) === 3) looked.resolve();
      return full;
    };
    const runner = new FakeRunner(finishing(() => maker));
    const maker = start(runner, { pollMs: 10, isFull });
    const id = await maker.addDocument(owner);
    await looked.promise;
    expect(runner.jobs).toEqual([]);
    full = false;
    await runner.seen(id).promise;
  });

  it('is woken by a new job long before it would look by itself', async () => {
    const runner = new FakeRunner(finishing(() => maker));
    const maker = start(runner, { pollMs: 60_000 });
    await listening();
    const id = await maker.addDocument(owner);
    await runner.seen(id).promise;
  });

  it('finds new jobs also where notifications do not arrive', async () => {
    const closed = createServer().listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const { port } = closed.address() as { port: number };
    closed.close();
    const runner = new FakeRunner(finishing(() => maker));
    const maker = start(runner, { url: `postgres://u:p@127.0.0.1:${port}/none` });
    const id = await maker.addDocument(owner);
    await runner.seen(id).promise;
  });

  it('works on as many jobs at once as it may, and takes the next when one ends', async () => {
    let now = 0;
    let most = 0;
    const release = Promise.withResolvers<void>();
    const runner = new FakeRunner(async (job) => {
      most = Math.max(most, (now += 1));
      if (most === 2) release.resolve();
      await release.promise;
      now -= 1;
      return finishing(() => maker)(job);
    });
    const maker = start(runner, { concurrency: 2 });
    const ids = await Promise.all(Array.from({ length: 6 }, () => maker.addDocument(owner)));
    await Promise.all(ids.map((id) => runner.seen(id).promise));
    expect(most).toBe(2);
  });

  it('carries the correlation id of the upload into the job', async () => {
    const correlation = Promise.withResolvers<string | undefined>();
    const runner = new FakeRunner(async (job) => {
      correlation.resolve(currentContext()?.correlationId);
      return finishing(() => maker)(job);
    });
    const maker = start(runner);
    const id = await maker.addDocument(owner);
    expect(await correlation.promise).toBe(`correlation-${id}`);
  });

  it('keeps its lease for longer than the lease lasts', async () => {
    const renewals = Promise.withResolvers<void>();
    const runner = new FakeRunner(async (job) => {
      await renewals.promise;
      return finishing(() => maker)(job);
    });
    const maker = start(runner, { leaseMs: 1_000 });
    const id = await maker.addDocument(owner);
    await runner.seen(id).promise;
    const leaseUntil = async () =>
      (await db.owner.query(`select lease_until from job where document_id = $1`, [id])).rows[0]
        .lease_until as Date;
    const first = await leaseUntil();
    while ((await leaseUntil()).getTime() < first.getTime() + 1_500);
    renewals.resolve();
    expect(runner.jobs).toHaveLength(1);
  });

  it('is told to stop when its job is taken away', async () => {
    const reason = Promise.withResolvers<unknown>();
    let tries = 0;
    const runner = new FakeRunner(async (job, signal) => {
      if ((tries += 1) > 1) return finishing(() => maker)(job);
      reason.resolve(await untilAborted(signal));
      return 'lost';
    });
    const maker = start(runner, { leaseMs: 1_000 });
    const id = await maker.addDocument(owner);
    await runner.seen(id).promise;
    await db.owner.query(
      `update job set fencing_token = nextval('job_fencing_token') where document_id = $1`,
      [id],
    );
    expect(await reason.promise).toBeInstanceOf(LeaseLost);
  });

  it('is told at once when its job is taken away by somebody who says so', async () => {
    const reason = Promise.withResolvers<unknown>();
    const runner = new FakeRunner(async (_, signal) => {
      reason.resolve(await untilAborted(signal));
      return 'lost';
    });
    // Neither a heartbeat nor a look at the queue would notice within the time of a test.
    const maker = start(runner, { leaseMs: 600_000, pollMs: 60_000 });
    await listening();
    const id = await maker.addDocument(owner);
    const job = await runner.seen(id).promise;
    await db.tenantDb.run(owner.tenantId, async (tx) => {
      await maker.jobs.lock(tx, id);
      await maker.jobs.revoke(tx, id, 'cancelled');
    });
    expect(await reason.promise).toBeInstanceOf(LeaseLost);
    expect(await maker.jobs.heartbeat(job)).toBe(false);
  });

  it('gives up a job that stands still, so that it is taken up anew, and goes on without it', async () => {
    let nowMs = 0;
    const liveness = new WorkerLiveness(() => nowMs);
    const reason = Promise.withResolvers<unknown>();
    const runner = new FakeRunner(async (job, signal) => {
      if (runner.jobs.length > 1) return finishing(() => maker)(job);
      void untilAborted(signal).then(reason.resolve);
      return new Promise(() => undefined);
    });
    const maker = start(runner, { concurrency: 1, leaseMs: 1_000, stuckAfterMs: 100, liveness });
    const id = await maker.addDocument(owner);
    const first = await runner.seen(id).promise;
    nowMs = 100;
    expect(await reason.promise).toBeInstanceOf(JobStuck);
    await until(async () => (await stateOf(id)).state === 'done');
    expect(runner.jobs.map((job) => job.documentId)).toEqual([id, id]);
    expect(runner.jobs[1]).toMatchObject({ lostLeases: 1 });
    expect(BigInt(runner.jobs[1]!.fencingToken)).toBeGreaterThan(BigInt(first.fencingToken));
    expect(liveness.stuckJobs).toBe(1);
  });

  it('takes no more jobs once too many stand still in it, until they end', async () => {
    let nowMs = 0;
    const liveness = new WorkerLiveness(() => nowMs);
    const ended = Promise.withResolvers<JobOutcome>();
    const runner = new FakeRunner(() => ended.promise);
    const rest = { concurrency: 1, leaseMs: 600_000, stuckAfterMs: 50, maxCrashes: 1 };
    const maker = start(runner, { ...rest, liveness });
    for (const stuckJobs of [1, 2]) {
      await runner.seen(await maker.addDocument(owner)).promise;
      nowMs += 50;
      await until(() => liveness.stuckJobs === stuckJobs);
    }
    const other = await maker.addDocument(owner);
    await untilLooked(liveness, 3);
    expect(runner.jobs).toHaveLength(2);
    ended.resolve('lost');
    await runner.seen(other).promise;
  });

  it('keeps a job that gives signs of life for as long as it does', async () => {
    let nowMs = 0;
    const liveness = new WorkerLiveness(() => nowMs);
    const release = Promise.withResolvers<void>();
    const runner = new FakeRunner(async (job) => {
      await release.promise;
      return finishing(() => maker)(job);
    });
    const maker = start(runner, { leaseMs: 600, stuckAfterMs: 10_000, liveness });
    const id = await maker.addDocument(owner);
    const job = await runner.seen(id).promise;
    const leaseUntil = async () => (await stateOf(id)).lease_until as Date;
    for (let beats = 0; beats < 3; beats++) {
      nowMs += 9_000;
      await maker.jobs.fenced(job, (tx) => maker.jobs.noteProgress(tx, job));
      const before = await leaseUntil();
      await until(async () => (await leaseUntil()).getTime() > before.getTime());
    }
    release.resolve();
    await until(async () => (await stateOf(id)).state === 'done');
    expect(runner.jobs).toHaveLength(1);
  });

  it('takes over from a worker that fell silent', async () => {
    const id = await documentMaker(db).addDocument(owner);
    await documentMaker(db, workerConfig({ leaseMs: 1_000 })).jobs.claim('a worker elsewhere');
    const runner = new FakeRunner(finishing(() => maker));
    const maker = start(runner);
    expect((await runner.seen(id).promise).documentId).toBe(id);
  });

  it('takes over at once from a process of this machine that is dead', async () => {
    const id = await documentMaker(db).addDocument(owner);
    const { formatIdentity, ownIdentity } =
      await import('../../../apps/api/src/ingestion/jobs/worker-identity.js');
    const dead = formatIdentity({ ...ownIdentity(), startTicks: '1' });
    await documentMaker(db, workerConfig({ leaseMs: 600_000 })).jobs.claim(dead);
    const runner = new FakeRunner(finishing(() => maker));
    const maker = start(runner);
    await runner.seen(id).promise;
  });

  it('stops in order: it takes nothing new, interrupts what it has, and waits for it', async () => {
    let ended = false;
    const runner = new FakeRunner(async (_, signal) => {
      await untilAborted(signal);
      ended = true;
      return 'released';
    });
    const maker = start(runner, { concurrency: 1 });
    const [first] = [await maker.addDocument(owner), await maker.addDocument(owner)];
    await runner.seen(first!).promise;
    await maker.worker.beforeApplicationShutdown();
    expect(ended).toBe(true);
    await maker.addDocument(owner);
    expect(runner.jobs).toHaveLength(1);
  });

  it('goes on after a job that it could not even settle', async () => {
    const [first, second] = [
      await documentMaker(db).addDocument(owner),
      await documentMaker(db).addDocument(owner),
    ];
    const runner = new FakeRunner(async (job) => {
      if (job.documentId === first) throw new Error('the database was away');
      return finishing(() => maker)(job);
    });
    const maker = start(runner, { concurrency: 1 });
    expect((await runner.seen(second).promise).documentId).toBe(second);
  });
});

const stateOf = async (id: string) =>
  (await db.owner.query(`select state, lease_until from job where document_id = $1`, [id])).rows[0];

/** Until the worker has looked at the queue so often again. */
async function untilLooked(liveness: WorkerLiveness, times: number): Promise<void> {
  const looked = liveness.looked.bind(liveness);
  const enough = Promise.withResolvers<void>();
  let left = times;
  liveness.looked = () => {
    looked();
    if ((left -= 1) === 0) enough.resolve();
  };
  await enough.promise;
}

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setImmediate(resolve));
}

/** A notification that is sent before the listener is connected is lost, which only costs a poll. */
async function listening(): Promise<void> {
  for (;;) {
    const { rowCount } = await db.owner.query(
      `select from pg_stat_activity where application_name = 'navigator-listen' and query like 'listen%'
         and datname = current_database() and state = 'idle'`,
    );
    if (rowCount) return;
  }
}
