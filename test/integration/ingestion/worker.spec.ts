import { once } from 'node:events';
import { createServer } from 'node:net';
import { currentContext } from '#libs/observability';
import { FakeRunner, finishing, untilAborted, WorkerWorld } from '../../support/worker-world.js';

let world: WorkerWorld;
beforeAll(async () => {
  world = await WorkerWorld.start();
});
afterAll(() => world.close());
beforeEach(() => world.begin());
afterEach(() => world.stopWorkers());

describe('a worker', () => {
  it('takes a job that was there before it started', async () => {
    const id = await world.addDocument();
    const runner = new FakeRunner(finishing(() => maker));
    const maker = world.startWorker(runner);
    expect((await runner.seen(id).promise).tenantId).toBe(world.owner.tenantId);
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
    const maker = world.startWorker(runner, { pollMs: 10, isFull });
    const id = await maker.addDocument(world.owner);
    await looked.promise;
    expect(runner.jobs).toEqual([]);
    full = false;
    await runner.seen(id).promise;
  });

  it('is woken by a new job long before it would look by itself', async () => {
    const runner = new FakeRunner(finishing(() => maker));
    const maker = world.startWorker(runner, { pollMs: 60_000 });
    await world.listening();
    const id = await maker.addDocument(world.owner);
    await runner.seen(id).promise;
  });

  it('finds new jobs also where notifications do not arrive', async () => {
    const closed = createServer().listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const { port } = closed.address() as { port: number };
    closed.close();
    const runner = new FakeRunner(finishing(() => maker));
    const maker = world.startWorker(runner, { url: `postgres://u:p@127.0.0.1:${port}/none` });
    const id = await maker.addDocument(world.owner);
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
    const maker = world.startWorker(runner, { concurrency: 2 });
    const ids = await Promise.all(Array.from({ length: 6 }, () => maker.addDocument(world.owner)));
    await Promise.all(ids.map((id) => runner.seen(id).promise));
    expect(most).toBe(2);
  });

  it('carries the correlation id of the upload into the job', async () => {
    const correlation = Promise.withResolvers<string | undefined>();
    const runner = new FakeRunner(async (job) => {
      correlation.resolve(currentContext()?.correlationId);
      return finishing(() => maker)(job);
    });
    const maker = world.startWorker(runner);
    const id = await maker.addDocument(world.owner);
    expect(await correlation.promise).toBe(`correlation-${id}`);
  });

  it('stops in order: it takes nothing new, interrupts what it has, and waits for it', async () => {
    let ended = false;
    const runner = new FakeRunner(async (_, signal) => {
      await untilAborted(signal);
      ended = true;
      return 'released';
    });
    const maker = world.startWorker(runner, { concurrency: 1 });
    const [first] = [await maker.addDocument(world.owner), await maker.addDocument(world.owner)];
    await runner.seen(first!).promise;
    await maker.worker.beforeApplicationShutdown();
    expect(ended).toBe(true);
    await maker.addDocument(world.owner);
    expect(runner.jobs).toHaveLength(1);
  });

  it('goes on after a job that it could not even settle', async () => {
    const [first, second] = [await world.addDocument(), await world.addDocument()];
    const runner = new FakeRunner(async (job) => {
      if (job.documentId === first) throw new Error('the database was away');
      return finishing(() => maker)(job);
    });
    const maker = world.startWorker(runner, { concurrency: 1 });
    expect((await runner.seen(second).promise).documentId).toBe(second);
  });
});
