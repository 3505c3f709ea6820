import { STAGE_NAMES, type StageName } from '../../../apps/api/src/ingestion/workflow/ingestion-stages.js';
import { RunnerWorld } from '../../support/runner-world.js';
import type { RunStage } from '../../support/scripted-stages.js';

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

describe('a job whose checkpoints may wait', () => {
  /** Longer than any test: only the next write brings them. */
  const LONG_MS = 60_000;
  const statusOf = async (id: string) => {
    const { stages: all } = await world.state(id);
    return STAGE_NAMES.filter((name) => all[name].status === 'done');
  };

  it('writes them together with the next one that somebody looks up, and with the last', async () => {
    const id = await world.addDocument();
    const seen: Partial<Record<StageName, StageName[]>> = {};
    const looking =
      (name: StageName): RunStage =>
      async (task, signal) => {
        seen[name] = await statusOf(id);
        return world.stage(name)(task, signal);
      };
    const names = ['extract', 'structure', 'embed', 'publish'] as const;
    const run = world.runner(Object.fromEntries(names.map((name) => [name, looking(name)])), LONG_MS);
    expect(await run.run(await world.claimed(), never)).toBe('done');
    const first = ['receive', 'extract', 'structure'];
    expect(seen).toEqual({ extract: [], structure: [], embed: first, publish: first });
    const { status, tags, stages: after } = await world.state(id);
    expect({ status, tags }).toEqual({ status: 'ready', tags: expect.arrayContaining([...STAGE_NAMES]) });
    expect(tags).toHaveLength(STAGE_NAMES.length);
    for (const name of STAGE_NAMES) expect(after[name]).toEqual({ status: 'done', attempts: 1 });
  });

  it('writes them by themselves when the next stage takes longer than they may wait', async () => {
    const id = await world.addDocument();
    const slow: RunStage = async (task, signal) => {
      while ((await statusOf(id)).length === 0) await new Promise(setImmediate);
      expect((await world.state(id)).stages.extract).toEqual({ status: 'running', attempts: 1 });
      return world.stage('extract')(task, signal);
    };
    expect(await world.runner({ extract: slow }, 10).run(await world.claimed(), never)).toBe('done');
    expect((await world.state(id)).tags.toSorted()).toEqual(STAGE_NAMES.toSorted());
  });

  it('ends once when what it owed is just being written by itself', async () => {
    const id = await world.addDocument();
    const holder = await world.db.owner.connect();
    const waiting = `select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`;
    const atLast: RunStage = async (task, signal) => {
      await holder.query('begin');
      await holder.query(`select from job where document_id = $1 for update`, [id]);
      while ((await world.db.owner.query(waiting)).rowCount === 0) await new Promise(setImmediate);
      setImmediate(() => void holder.query('commit'));
      return world.stage('publish')(task, signal);
    };
    try {
      expect(await world.runner({ publish: atLast }, 20).run(await world.claimed(), never)).toBe('done');
    } finally {
      holder.release();
    }
    expect((await world.state(id)).tags.toSorted()).toEqual(STAGE_NAMES.toSorted());
  });

  it.each(STAGE_NAMES)(
    'whose worker dies in %s is finished by another, with each effect once',
    async (name) => {
      const id = await world.addDocument();
      const reached = Promise.withResolvers<void>();
      const hang: RunStage = () => {
        reached.resolve();
        return new Promise(() => undefined);
      };
      void world.runner({ [name]: hang }, LONG_MS).run(await world.claimed(), never);
      await reached.promise;
      await world.takeAway();
      expect(await world.runner({}, LONG_MS).run(await world.claimed(), never)).toBe('done');
      expect((await world.state(id)).tags.toSorted()).toEqual(STAGE_NAMES.toSorted());
    },
  );

  it('keeps what came before a stage that fails, whose attempts are counted', async () => {
    const id = await world.addDocument();
    for (const expected of ['deferred', 'deferred', 'failed']) {
      expect(await world.runner({ structure: transient }, LONG_MS).run(await world.claimed(), never)).toBe(
        expected,
      );
      await world.makeDue();
    }
    expect(await world.state(id)).toMatchObject({
      status: 'failed',
      tags: ['receive', 'extract'],
      stages: { extract: { status: 'done', attempts: 1 }, structure: { status: 'failed', attempts: 3 } },
    });
  });

  it('forgets what a stage left when that cannot be written, and keeps what came before', async () => {
    const id = await world.addDocument();
    const unwritable: RunStage = async () => ({ commit: (tx) => tx.query('select 1 / 0') });
    const run = world.runner({ structure: unwritable }, LONG_MS);
    expect(await run.run(await world.claimed(), never)).toBe('deferred');
    expect(await world.state(id)).toMatchObject({
      tags: ['receive', 'extract'],
      stages: { structure: { status: 'pending', attempts: 1 }, embed: { status: 'pending', attempts: 0 } },
    });
  });

  it('is left to its lease when what it owes cannot be written, and fails by its stage the next times', async () => {
    const id = await world.addDocument();
    const unwritable: RunStage = async () => ({ commit: (tx) => tx.query('select 1 / 0') });
    await expect(
      world.runner({ extract: unwritable }, LONG_MS).run(await world.claimed(), never),
    ).rejects.toThrow('division by zero');
    await world.takeAway();
    expect(await world.runner({ extract: unwritable }, LONG_MS).run(await world.claimed(), never)).toBe(
      'deferred',
    );
    expect((await world.state(id)).stages).toMatchObject({
      receive: { status: 'done' },
      extract: { status: 'pending', attempts: 1 },
    });
  });

  it('gives them back with the job when its worker stops in order', async () => {
    const id = await world.addDocument();
    const stopping = new AbortController();
    const interrupted: RunStage = async () => {
      stopping.abort(new Error('The worker is stopping'));
      throw new Error('interrupted');
    };
    const run = world.runner({ extract: interrupted }, LONG_MS);
    expect(await run.run(await world.claimed(), stopping.signal)).toBe('released');
    expect(await world.state(id)).toMatchObject({
      state: 'queued',
      stages: { receive: { status: 'done' }, extract: { status: 'pending', attempts: 0 } },
    });
  });

  it('writes none of them when the job went to another worker meanwhile', async () => {
    const id = await world.addDocument();
    const reached = Promise.withResolvers<void>();
    const asleep = Promise.withResolvers<void>();
    const sleeping: RunStage = async (task, signal) => {
      reached.resolve();
      await asleep.promise;
      return world.stage('extract')(task, signal);
    };
    const late = world.runner({ extract: sleeping }, LONG_MS).run(await world.claimed(), never);
    await reached.promise;
    await world.takeAway();
    expect(await world.runner().run(await world.claimed(), never)).toBe('done');
    const finished = await world.state(id);
    asleep.resolve();
    expect(await late).toBe('lost');
    expect(await world.state(id)).toEqual(finished);
  });
});
