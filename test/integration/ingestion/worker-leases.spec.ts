import { JobStuck, LeaseLost } from '../../../apps/api/src/ingestion/jobs/job.js';
import { formatIdentity, ownIdentity } from '../../../apps/api/src/ingestion/jobs/worker-identity.js';
import { WorkerLiveness } from '../../../apps/api/src/ingestion/jobs/worker-liveness.js';
import type { JobOutcome } from '../../../apps/api/src/ingestion/workflow/job-runner.js';
import { documentMaker, workerConfig } from '../../support/documents.js';
import { FakeRunner, finishing, untilAborted, WorkerWorld } from '../../support/worker-world.js';

let world: WorkerWorld;
beforeAll(async () => {
  world = await WorkerWorld.start();
});
afterAll(() => world.close());
beforeEach(() => world.begin());
afterEach(() => world.stopWorkers());

describe('a worker that holds a lease', () => {
  it('keeps its lease for longer than the lease lasts', async () => {
    const renewals = Promise.withResolvers<void>();
    const runner = new FakeRunner(async (job) => {
      await renewals.promise;
      return finishing(() => maker)(job);
    });
    const maker = world.startWorker(runner, { leaseMs: 1_000 });
    const id = await maker.addDocument(world.owner);
    await runner.seen(id).promise;
    const leaseUntil = async () => (await world.stateOf(id)).lease_until;
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
    const maker = world.startWorker(runner, { leaseMs: 1_000 });
    const id = await maker.addDocument(world.owner);
    await runner.seen(id).promise;
    await world.db.owner.query(
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
    const maker = world.startWorker(runner, { leaseMs: 600_000, pollMs: 60_000 });
    await world.listening();
    const id = await maker.addDocument(world.owner);
    const job = await runner.seen(id).promise;
    await world.db.tenantDb.run(world.owner.tenantId, async (tx) => {
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
    const maker = world.startWorker(runner, { concurrency: 1, leaseMs: 1_000, stuckAfterMs: 100, liveness });
    const id = await maker.addDocument(world.owner);
    const first = await runner.seen(id).promise;
    nowMs = 100;
    expect(await reason.promise).toBeInstanceOf(JobStuck);
    await until(async () => (await world.stateOf(id)).state === 'done');
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
    const maker = world.startWorker(runner, { ...rest, liveness });
    for (const stuckJobs of [1, 2]) {
      await runner.seen(await maker.addDocument(world.owner)).promise;
      nowMs += 50;
      await until(() => liveness.stuckJobs === stuckJobs);
    }
    const other = await maker.addDocument(world.owner);
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
    const maker = world.startWorker(runner, { leaseMs: 600, stuckAfterMs: 10_000, liveness });
    const id = await maker.addDocument(world.owner);
    const job = await runner.seen(id).promise;
    const leaseUntil = async () => (await world.stateOf(id)).lease_until;
    for (let beats = 0; beats < 3; beats++) {
      nowMs += 9_000;
      await maker.jobs.fenced(job, (tx) => maker.jobs.noteProgress(tx, job));
      const before = await leaseUntil();
      await until(async () => (await leaseUntil()).getTime() > before.getTime());
    }
    release.resolve();
    await until(async () => (await world.stateOf(id)).state === 'done');
    expect(runner.jobs).toHaveLength(1);
  });

  it('takes over from a worker that fell silent', async () => {
    const id = await world.addDocument();
    await documentMaker(world.db, workerConfig({ leaseMs: 1_000 })).jobs.claim('a worker elsewhere');
    const runner = new FakeRunner(finishing(() => maker));
    const maker = world.startWorker(runner);
    expect((await runner.seen(id).promise).documentId).toBe(id);
  });

  it('takes over at once from a process of this machine that is dead', async () => {
    const id = await world.addDocument();
    const dead = formatIdentity({ ...ownIdentity(), startTicks: '1' });
    await documentMaker(world.db, workerConfig({ leaseMs: 600_000 })).jobs.claim(dead);
    const runner = new FakeRunner(finishing(() => maker));
    const maker = world.startWorker(runner);
    await runner.seen(id).promise;
  });
});

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
