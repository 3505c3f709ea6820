import { LeaseLost } from '../../../apps/api/src/ingestion/jobs/job.js';
import { STAGE_NAMES, type StageName } from '../../../apps/api/src/ingestion/workflow/ingestion-stages.js';
import { DocumentRejected } from '../../../apps/api/src/ingestion/workflow/stage-work.js';
import { RunnerWorld } from '../../support/runner-world.js';

let world: RunnerWorld;
const never = new AbortController().signal;
beforeAll(async () => {
  world = await RunnerWorld.start();
});
afterAll(() => world.close());
beforeEach(() => world.begin());

const transient = async () => {
  throw new Error('the disk was busy');
};

describe('a job', () => {
  it('runs every stage once and leaves a ready document that nobody holds', async () => {
    const id = await world.addDocument();
    expect(await world.runner().run(await world.claimed(), never)).toBe('done');
    const { status, tags, state: jobState } = await world.state(id);
    expect({ status, jobState }).toEqual({ status: 'ready', jobState: 'done' });
    expect(tags.toSorted()).toEqual(STAGE_NAMES.toSorted());
    expect(await world.maker.jobs.claim('worker-2')).toBeUndefined();
  });

  it.each(STAGE_NAMES)(
    'whose worker dies in %s goes on there, and every stage takes effect once',
    async (name) => {
      const id = await world.addDocument();
      const reached = Promise.withResolvers<void>();
      const hanging = world.runner({
        [name]: () => {
          reached.resolve();
          return new Promise(() => undefined);
        },
      });
      void hanging.run(await world.claimed(), never);
      await reached.promise;
      await world.takeAway();

      expect(await world.runner().run(await world.claimed(), never)).toBe('done');
      const { tags, stages: after } = await world.state(id);
      expect(tags.toSorted()).toEqual(STAGE_NAMES.toSorted());
      expect(after[name]).toEqual({ status: 'done', attempts: 2 });
    },
  );

  it('is tried again later when a stage fails, each time after a longer pause, and is failed at the third', async () => {
    const id = await world.addDocument();
    const pauses = [];
    for (const expected of ['deferred', 'deferred', 'failed']) {
      expect(await world.runner({ structure: transient }).run(await world.claimed(), never)).toBe(expected);
      const { rows } = await world.db.owner.query(
        `select round(extract(epoch from run_at - now()) / 60)::int as minutes from job where document_id = $1`,
        [id],
      );
      if (expected === 'deferred') pauses.push(rows[0].minutes);
      await world.makeDue();
    }
    expect(pauses).toEqual([1, 4]);
    expect(await world.state(id)).toMatchObject({
      status: 'failed',
      reason_code: 'attempts-exhausted',
      state: 'failed',
      stages: { extract: { status: 'done', attempts: 1 }, structure: { status: 'failed', attempts: 3 } },
    });
  });

  /** As if the process died while it was in the stage. */
  async function dieIn(stage: StageName): Promise<void> {
    const reached = Promise.withResolvers<void>();
    const deadly = world.runner({
      [stage]: () => {
        reached.resolve();
        return new Promise(() => undefined);
      },
    });
    void deadly.run(await world.claimed(), never);
    await reached.promise;
    await world.takeAway();
  }

  it('is failed when it took five processes in a row down with it', async () => {
    const id = await world.addDocument();
    for (let i = 0; i < 5; i++) {
      await dieIn('extract');
      await world.makeDue();
    }
    expect(await world.runner().run(await world.claimed(), never)).toBe('failed');
    expect(await world.state(id)).toMatchObject({
      status: 'failed',
      reason_code: 'attempts-exhausted',
      stages: { extract: { status: 'failed', attempts: 5 } },
    });
  });

  it('goes on at once after its worker died, and after a pause each further time', async () => {
    const id = await world.addDocument();
    const waits = [];
    for (let i = 0; i < 4; i++) {
      await dieIn('extract');
      const { rows } = await world.db.owner.query(
        `select greatest(0, round(extract(epoch from run_at - now()) / 60))::int as minutes from job
         where document_id = $1`,
        [id],
      );
      waits.push(rows[0].minutes);
      await world.makeDue();
    }
    expect(waits).toEqual([0, 1, 1, 1]);
  });

  it('is not failed for having got on between the deaths of its workers', async () => {
    await world.addDocument();
    for (const stage of ['receive', 'extract', 'structure', 'embed', 'publish'] as const) {
      await dieIn(stage);
      await world.makeDue();
    }
    const { rows } = await world.db.owner.query(`select lost_leases from job`);
    expect(rows).toEqual([{ lost_leases: 1 }]);
    expect(await world.runner().run(await world.claimed(), never)).toBe('done');
  });

  it('is failed at once, with the reason, when its document cannot be read', async () => {
    const id = await world.addDocument();
    const rejecting = world.runner({
      extract: async () => {
        throw new DocumentRejected('password-protected', 'The file is protected by a password.');
      },
    });
    expect(await rejecting.run(await world.claimed(), never)).toBe('failed');
    expect(await world.state(id)).toMatchObject({
      status: 'failed',
      reason_code: 'password-protected',
      stages: { extract: { status: 'failed', attempts: 1 }, structure: { status: 'pending', attempts: 0 } },
    });
  });

  it('forgives the stage that ran beside the one that failed', async () => {
    const id = await world.addDocument();
    const failing = world.runner({
      assess: transient,
      embed: (_, signal) =>
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted')))),
    });
    expect(await failing.run(await world.claimed(), never)).toBe('deferred');
    expect((await world.state(id)).stages).toMatchObject({
      assess: { status: 'pending', attempts: 1 },
      embed: { status: 'pending', attempts: 0 },
    });
  });

  it('is given back at once, with its attempt, when its worker stops in order', async () => {
    const id = await world.addDocument();
    const stopping = new AbortController();
    const interrupted = world.runner({
      extract: async () => {
        stopping.abort(new Error('The worker is stopping'));
        throw new Error('interrupted');
      },
    });
    expect(await interrupted.run(await world.claimed(), stopping.signal)).toBe('released');
    expect(await world.state(id)).toMatchObject({
      state: 'queued',
      later: false,
      stages: { receive: { status: 'done' }, extract: { status: 'pending', attempts: 0 } },
    });
    expect(await world.runner().run(await world.claimed(), never)).toBe('done');
  });

  it('goes on after a retry where it failed, with all attempts', async () => {
    const id = await world.addDocument();
    const rejecting = world.runner({
      structure: async () => {
        throw new DocumentRejected('no-text', 'No text was found.');
      },
    });
    await rejecting.run(await world.claimed(), never);
    await world.db.tenantDb.run(world.owner.tenantId, async (tx) => {
      await world.maker.documents.setQueued(tx, id);
      await world.maker.jobs.requeue(tx, id, undefined);
    });
    expect(await world.runner().run(await world.claimed(), never)).toBe('done');
    const { tags, status, reason_code, stages: after } = await world.state(id);
    expect({ status, reason_code }).toEqual({ status: 'ready', reason_code: null });
    expect(tags.toSorted()).toEqual(STAGE_NAMES.toSorted());
    expect(after.extract.attempts).toBe(1);
  });

  it('is dropped, and nothing is written, when its document is deleted meanwhile', async () => {
    const id = await world.addDocument();
    const deleting = world.runner({
      embed: async ({ job }) => {
        await world.db.tenantDb.run(world.owner.tenantId, async (tx) => {
          await world.maker.jobs.lock(tx, id);
          await world.maker.documents.delete(tx, id);
        });
        return {
          commit: (tx) => tx.query(`insert into tenant (tenant_id, name) values ($1, 'x')`, [job.tenantId]),
        };
      },
    });
    expect(await deleting.run(await world.claimed(), never)).toBe('lost');
    expect((await world.db.owner.query('select from document')).rowCount).toBe(0);
    expect((await world.db.owner.query('select from job_stage')).rowCount).toBe(0);
  });

  it('is left alone by a worker that wakes up after another has finished it', async () => {
    const id = await world.addDocument();
    const asleep = Promise.withResolvers<void>();
    const reached = Promise.withResolvers<void>();
    const late = world
      .runner({
        structure: async (task) => {
          reached.resolve();
          await asleep.promise;
          return world.stage('structure')(task, never);
        },
      })
      .run(await world.claimed(), never);
    await reached.promise;
    await world.takeAway();
    expect(await world.runner().run(await world.claimed(), never)).toBe('done');
    const finished = await world.state(id);

    asleep.resolve();
    expect(await late).toBe('lost');
    expect(await world.state(id)).toEqual(finished);
  });

  it('stops working when a heartbeat finds that the lease is lost', async () => {
    await world.addDocument();
    const job = await world.claimed();
    const lost = new AbortController();
    const working = world.runner({
      extract: (_, signal) =>
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted')))),
      receive: async () => {
        setImmediate(() => lost.abort(new LeaseLost(job)));
        return {};
      },
    });
    expect(await working.run(job, lost.signal)).toBe('lost');
  });
});
