import { type ClaimedJob, LeaseLost } from '../../../apps/api/src/ingestion/jobs/job.js';
import type { StageName } from '../../../apps/api/src/ingestion/workflow/ingestion-stages.js';
import { STAGE_NAMES } from '../../../apps/api/src/ingestion/workflow/ingestion-stages.js';
import { JobRunner } from '../../../apps/api/src/ingestion/workflow/job-runner.js';
import { DocumentRejected } from '../../../apps/api/src/ingestion/workflow/stage-work.js';
import { StageStore } from '../../../apps/api/src/ingestion/workflow/stage.store.js';
import { documentMaker, gateConfig, type Owner, workerConfig } from '../../support/documents.js';
import { type RunStage, ScriptedStages } from '../../support/scripted-stages.js';
import { testDatabase, type TestDatabase } from '../../support/test-database.js';

let db: TestDatabase;
let maker: ReturnType<typeof documentMaker>;
let owner: Owner;
const stages = new StageStore();
const never = new AbortController().signal;
/** Checkpoints are written one by one unless a test says otherwise. */
const config = workerConfig({ retryDelayMs: 60_000, checkpointDelayMs: 0 });

beforeAll(async () => {
  db = await testDatabase();
  maker = documentMaker(db, config);
});
afterAll(() => db.close());
beforeEach(async () => {
  await db.owner.query('delete from document');
  owner = await db.createTenant();
});

function runner(instead: Partial<Record<StageName, RunStage>> = {}, checkpointDelayMs = 0) {
  return new JobRunner(
    maker.jobs,
    stages,
    maker.documents,
    new ScriptedStages(maker, instead),
    { ...config, checkpointDelayMs },
    gateConfig,
  );
}

/** A job whose row is locked at the moment is passed over, so a worker may have to ask again. */
async function claimed(): Promise<ClaimedJob> {
  for (;;) {
    const job = await maker.jobs.claim('worker-1');
    if (job) return job;
  }
}

/** As after a SIGKILL: nobody is told, the lease just ends. Rows that a sibling stage is writing are passed over. */
async function takeAway(): Promise<void> {
  while ((await maker.jobs.reclaim(['worker-1'])) === 0);
}

async function state(id: string) {
  const { rows } = await db.owner.query(
    `select d.status, d.tags, d.reason_code, j.state, j.run_at > now() as later
     from document d join job j on j.document_id = d.id where d.id = $1`,
    [id],
  );
  const stageRows = await db.owner.query(
    `select name, status, attempts from job_stage where document_id = $1`,
    [id],
  );
  const byName = Object.fromEntries(stageRows.rows.map(({ name, ...rest }) => [name, rest]));
  return { ...rows[0], stages: byName };
}

const transient = async () => {
  throw new Error('the disk was busy');
};

describe('a job', () => {
  it('runs every stage once and leaves a ready document that nobody holds', async () => {
    const id = await maker.addDocument(owner);
    expect(await runner().run(await claimed(), never)).toBe('done');
    const { status, tags, state: jobState } = await state(id);
    expect({ status, jobState }).toEqual({ status: 'ready', jobState: 'done' });
    expect(tags.toSorted()).toEqual(STAGE_NAMES.toSorted());
    expect(await maker.jobs.claim('worker-2')).toBeUndefined();
  });

  it.each(STAGE_NAMES)(
    'whose worker dies in %s goes on there, and every stage takes effect once',
    async (name) => {
      const id = await maker.addDocument(owner);
      const reached = Promise.withResolvers<void>();
      const hanging = runner({
        [name]: () => {
          reached.resolve();
          return new Promise(() => undefined);
        },
      });
      void hanging.run(await claimed(), never);
      await reached.promise;
      await takeAway();

      expect(await runner().run(await claimed(), never)).toBe('done');
      const { tags, stages: after } = await state(id);
      expect(tags.toSorted()).toEqual(STAGE_NAMES.toSorted());
      expect(after[name]).toEqual({ status: 'done', attempts: 2 });
    },
  );

  it('is tried again later when a stage fails, each time after a longer pause, and is failed at the third', async () => {
    const id = await maker.addDocument(owner);
    const pauses = [];
    for (const expected of ['deferred', 'deferred', 'failed']) {
      expect(await runner({ structure: transient }).run(await claimed(), never)).toBe(expected);
      const { rows } = await db.owner.query(
        `select round(extract(epoch from run_at - now()) / 60)::int as minutes from job where document_id = $1`,
        [id],
      );
      if (expected === 'deferred') pauses.push(rows[0].minutes);
      await db.owner.query(`update job set run_at = now()`);
    }
    expect(pauses).toEqual([1, 4]);
    expect(await state(id)).toMatchObject({
      status: 'failed',
      reason_code: 'attempts-exhausted',
      state: 'failed',
      stages: { extract: { status: 'done', attempts: 1 }, structure: { status: 'failed', attempts: 3 } },
    });
  });

  /** As if the process died while it was in the stage. */
  async function dieIn(stage: StageName): Promise<void> {
    const reached = Promise.withResolvers<void>();
    const deadly = runner({
      [stage]: () => {
        reached.resolve();
        return new Promise(() => undefined);
      },
    });
    void deadly.run(await claimed(), never);
    await reached.promise;
    await takeAway();
  }

  const makeDue = () => db.owner.query(`update job set run_at = now()`);

  it('is failed when it took five processes in a row down with it', async () => {
    const id = await maker.addDocument(owner);
    for (let i = 0; i < 5; i++) {
      await dieIn('extract');
      await makeDue();
    }
    expect(await runner().run(await claimed(), never)).toBe('failed');
    expect(await state(id)).toMatchObject({
      status: 'failed',
      reason_code: 'attempts-exhausted',
      stages: { extract: { status: 'failed', attempts: 5 } },
    });
  });

  it('goes on at once after its worker died, and after a pause each further time', async () => {
    const id = await maker.addDocument(owner);
    const waits = [];
    for (let i = 0; i < 4; i++) {
      await dieIn('extract');
      const { rows } = await db.owner.query(
        `select greatest(0, round(extract(epoch from run_at - now()) / 60))::int as minutes from job
         where document_id = $1`,
        [id],
      );
      waits.push(rows[0].minutes);
      await makeDue();
    }
    expect(waits).toEqual([0, 1, 1, 1]);
  });

  it('is not failed for having got on between the deaths of its workers', async () => {
    await maker.addDocument(owner);
    for (const stage of ['receive', 'extract', 'structure', 'embed', 'publish'] as const) {
      await dieIn(stage);
      await makeDue();
    }
    const { rows } = await db.owner.query(`select lost_leases from job`);
    expect(rows).toEqual([{ lost_leases: 1 }]);
    expect(await runner().run(await claimed(), never)).toBe('done');
  });

  it('is failed at once, with the reason, when its document cannot be read', async () => {
    const id = await maker.addDocument(owner);
    const rejecting = runner({
      extract: async () => {
        throw new DocumentRejected('password-protected', 'The file is protected by a password.');
      },
    });
    expect(await rejecting.run(await claimed(), never)).toBe('failed');
    expect(await state(id)).toMatchObject({
      status: 'failed',
      reason_code: 'password-protected',
      stages: { extract: { status: 'failed', attempts: 1 }, structure: { status: 'pending', attempts: 0 } },
    });
  });

  it('forgives the stage that ran beside the one that failed', async () => {
    const id = await maker.addDocument(owner);
    const failing = runner({
      assess: transient,
      embed: (_, signal) =>
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted')))),
    });
    expect(await failing.run(await claimed(), never)).toBe('deferred');
    expect((await state(id)).stages).toMatchObject({
      assess: { status: 'pending', attempts: 1 },
      embed: { status: 'pending', attempts: 0 },
    });
  });

  it('is given back at once, with its attempt, when its worker stops in order', async () => {
    const id = await maker.addDocument(owner);
    const stopping = new AbortController();
    const interrupted = runner({
      extract: async () => {
        stopping.abort(new Error('The worker is stopping'));
        throw new Error('interrupted');
      },
    });
    expect(await interrupted.run(await claimed(), stopping.signal)).toBe('released');
    expect(await state(id)).toMatchObject({
      state: 'queued',
      later: false,
      stages: { receive: { status: 'done' }, extract: { status: 'pending', attempts: 0 } },
    });
    expect(await runner().run(await claimed(), never)).toBe('done');
  });

  it('goes on after a retry where it failed, with all attempts', async () => {
    const id = await maker.addDocument(owner);
    const rejecting = runner({
      structure: async () => {
        throw new DocumentRejected('no-text', 'No text was found.');
      },
    });
    await rejecting.run(await claimed(), never);
    await db.tenantDb.run(owner.tenantId, async (tx) => {
      await maker.documents.setQueued(tx, id);
      await maker.jobs.requeue(tx, id, undefined);
    });
    expect(await runner().run(await claimed(), never)).toBe('done');
    const { tags, status, reason_code, stages: after } = await state(id);
    expect({ status, reason_code }).toEqual({ status: 'ready', reason_code: null });
    expect(tags.toSorted()).toEqual(STAGE_NAMES.toSorted());
    expect(after.extract.attempts).toBe(1);
  });

  it('is dropped, and nothing is written, when its document is deleted meanwhile', async () => {
    const id = await maker.addDocument(owner);
    const deleting = runner({
      embed: async ({ job }) => {
        await db.tenantDb.run(owner.tenantId, async (tx) => {
          await maker.jobs.lock(tx, id);
          await maker.documents.delete(tx, id);
        });
        return {
          commit: (tx) => tx.query(`insert into tenant (tenant_id, name) values ($1, 'x')`, [job.tenantId]),
        };
      },
    });
    expect(await deleting.run(await claimed(), never)).toBe('lost');
    expect((await db.owner.query('select from document')).rowCount).toBe(0);
    expect((await db.owner.query('select from job_stage')).rowCount).toBe(0);
  });

  it('is left alone by a worker that wakes up after another has finished it', async () => {
    const id = await maker.addDocument(owner);
    const asleep = Promise.withResolvers<void>();
    const reached = Promise.withResolvers<void>();
    const late = runner({
      structure: async (task) => {
        reached.resolve();
        await asleep.promise;
        return new ScriptedStages(maker).works.structure.run(task, never);
      },
    }).run(await claimed(), never);
    await reached.promise;
    await takeAway();
    expect(await runner().run(await claimed(), never)).toBe('done');
    const finished = await state(id);

    asleep.resolve();
    expect(await late).toBe('lost');
    expect(await state(id)).toEqual(finished);
  });

  it('stops working when a heartbeat finds that the lease is lost', async () => {
    await maker.addDocument(owner);
    const job = await claimed();
    const lost = new AbortController();
    const working = runner({
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

describe('a job whose checkpoints may wait', () => {
  /** Longer than any test: only the next write brings them. */
  const LONG_MS = 60_000;
  const statusOf = async (id: string) => {
    const { stages: all } = await state(id);
    return STAGE_NAMES.filter((name) => all[name].status === 'done');
  };

  it('writes them together with the next one that somebody looks up, and with the last', async () => {
    const id = await maker.addDocument(owner);
    const seen: Partial<Record<StageName, StageName[]>> = {};
    const looking =
      (name: StageName): RunStage =>
      async (task, signal) => {
        seen[name] = await statusOf(id);
        return new ScriptedStages(maker).works[name].run(task, signal);
      };
    const names = ['extract', 'structure', 'embed', 'publish'] as const;
    const run = runner(Object.fromEntries(names.map((name) => [name, looking(name)])), LONG_MS);
    expect(await run.run(await claimed(), never)).toBe('done');
    const first = ['receive', 'extract', 'structure'];
    expect(seen).toEqual({ extract: [], structure: [], embed: first, publish: first });
    const { status, tags, stages: after } = await state(id);
    expect({ status, tags }).toEqual({ status: 'ready', tags: expect.arrayContaining([...STAGE_NAMES]) });
    expect(tags).toHaveLength(STAGE_NAMES.length);
    for (const name of STAGE_NAMES) expect(after[name]).toEqual({ status: 'done', attempts: 1 });
  });

  it('writes them by themselves when the next stage takes longer than they may wait', async () => {
    const id = await maker.addDocument(owner);
    const slow: RunStage = async (task, signal) => {
      while ((await statusOf(id)).length === 0) await new Promise(setImmediate);
      expect((await state(id)).stages.extract).toEqual({ status: 'running', attempts: 1 });
      return new ScriptedStages(maker).works.extract.run(task, signal);
    };
    expect(await runner({ extract: slow }, 10).run(await claimed(), never)).toBe('done');
    expect((await state(id)).tags.toSorted()).toEqual(STAGE_NAMES.toSorted());
  });

  it('ends once when what it owed is just being written by itself', async () => {
    const id = await maker.addDocument(owner);
    const holder = await db.owner.connect();
    const waiting = `select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`;
    const atLast: RunStage = async (task, signal) => {
      await holder.query('begin');
      await holder.query(`select from job where document_id = $1 for update`, [id]);
      while ((await db.owner.query(waiting)).rowCount === 0) await new Promise(setImmediate);
      setImmediate(() => void holder.query('commit'));
      return new ScriptedStages(maker).works.publish.run(task, signal);
    };
    try {
      expect(await runner({ publish: atLast }, 20).run(await claimed(), never)).toBe('done');
    } finally {
      holder.release();
    }
    expect((await state(id)).tags.toSorted()).toEqual(STAGE_NAMES.toSorted());
  });

  it.each(STAGE_NAMES)(
    'whose worker dies in %s is finished by another, with each effect once',
    async (name) => {
      const id = await maker.addDocument(owner);
      const reached = Promise.withResolvers<void>();
      const hang: RunStage = () => {
        reached.resolve();
        return new Promise(() => undefined);
      };
      void runner({ [name]: hang }, LONG_MS).run(await claimed(), never);
      await reached.promise;
      await takeAway();
      expect(await runner({}, LONG_MS).run(await claimed(), never)).toBe('done');
      expect((await state(id)).tags.toSorted()).toEqual(STAGE_NAMES.toSorted());
    },
  );

  it('keeps what came before a stage that fails, whose attempts are counted', async () => {
    const id = await maker.addDocument(owner);
    for (const expected of ['deferred', 'deferred', 'failed']) {
      expect(await runner({ structure: transient }, LONG_MS).run(await claimed(), never)).toBe(expected);
      await db.owner.query(`update job set run_at = now()`);
    }
    expect(await state(id)).toMatchObject({
      status: 'failed',
      tags: ['receive', 'extract'],
      stages: { extract: { status: 'done', attempts: 1 }, structure: { status: 'failed', attempts: 3 } },
    });
  });

  it('forgets what a stage left when that cannot be written, and keeps what came before', async () => {
    const id = await maker.addDocument(owner);
    const unwritable: RunStage = async () => ({ commit: (tx) => tx.query('select 1 / 0') });
    const run = runner({ structure: unwritable }, LONG_MS);
    expect(await run.run(await claimed(), never)).toBe('deferred');
    expect(await state(id)).toMatchObject({
      tags: ['receive', 'extract'],
      stages: { structure: { status: 'pending', attempts: 1 }, embed: { status: 'pending', attempts: 0 } },
    });
  });

  it('is left to its lease when what it owes cannot be written, and fails by its stage the next times', async () => {
    const id = await maker.addDocument(owner);
    const unwritable: RunStage = async () => ({ commit: (tx) => tx.query('select 1 / 0') });
    await expect(runner({ extract: unwritable }, LONG_MS).run(await claimed(), never)).rejects.toThrow(
      'division by zero',
    );
    await takeAway();
    expect(await runner({ extract: unwritable }, LONG_MS).run(await claimed(), never)).toBe('deferred');
    expect((await state(id)).stages).toMatchObject({
      receive: { status: 'done' },
      extract: { status: 'pending', attempts: 1 },
    });
  });

  it('gives them back with the job when its worker stops in order', async () => {
    const id = await maker.addDocument(owner);
    const stopping = new AbortController();
    const interrupted: RunStage = async () => {
      stopping.abort(new Error('The worker is stopping'));
      throw new Error('interrupted');
    };
    const run = runner({ extract: interrupted }, LONG_MS);
    expect(await run.run(await claimed(), stopping.signal)).toBe('released');
    expect(await state(id)).toMatchObject({
      state: 'queued',
      stages: { receive: { status: 'done' }, extract: { status: 'pending', attempts: 0 } },
    });
  });

  it('writes none of them when the job went to another worker meanwhile', async () => {
    const id = await maker.addDocument(owner);
    const reached = Promise.withResolvers<void>();
    const asleep = Promise.withResolvers<void>();
    const sleeping: RunStage = async (task, signal) => {
      reached.resolve();
      await asleep.promise;
      return new ScriptedStages(maker).works.extract.run(task, signal);
    };
    const late = runner({ extract: sleeping }, LONG_MS).run(await claimed(), never);
    await reached.promise;
    await takeAway();
    expect(await runner().run(await claimed(), never)).toBe('done');
    const finished = await state(id);
    asleep.resolve();
    expect(await late).toBe('lost');
    expect(await state(id)).toEqual(finished);
  });
});
