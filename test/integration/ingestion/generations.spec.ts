import { TenantDb } from '#libs/database';
import { ProcessingService } from '../../../apps/api/src/ingestion/documents/processing.service.js';
import { JobStore } from '../../../apps/api/src/ingestion/jobs/job.store.js';
import { STAGE_NAMES } from '../../../apps/api/src/ingestion/workflow/ingestion-stages.js';
import { ModelRejected } from '../../../apps/api/src/rag/index.js';
import { EditionsWorld, NEW, OLD } from '../../support/editions-world.js';

let world: EditionsWorld;
beforeAll(async () => {
  world = await EditionsWorld.start();
});
afterAll(() => world.close());
beforeEach(() => world.begin());

describe('a document that is made anew', () => {
  it('is found as it was until all of it is there, and as it is from that moment on', async () => {
    expect(await world.seen()).toEqual(OLD);
    world.nextEdition();
    await world.retry('extract');
    const sightings = [await world.seen()];
    let isOver = false;
    const reading = (async () => {
      do sightings.push(await world.seen());
      while (!isOver);
    })();
    expect(await world.work()).toBe('done');
    isOver = true;
    await reading;
    sightings.push(await world.seen());
    for (const { editions, passages, withVector, answerable } of sightings)
      expect([
        [['alpha'], 36, 36, 'semantic'],
        [['beta'], 24, 24, 'semantic'],
      ]).toContainEqual([editions, passages, withVector, answerable]);
    expect(sightings[0]).toEqual(OLD);
    expect(sightings.at(-1)).toEqual(NEW);
  });

  it.each(
    STAGE_NAMES.slice(1).flatMap((name) => [[name, 'before'] as const, [name, 'in the commit'] as const]),
  )('goes on after a worker died in %s, %s: old until then, new after it', async (name, when) => {
    world.nextEdition();
    await world.retry('extract');
    const { runner, lost } = world.dyingIn(name, when);
    expect(await world.work(runner, lost)).toBe('lost');
    expect(await world.seen()).toEqual(OLD);
    while ((await world.get(JobStore).reclaim(['worker-1'])) === 0);
    expect(await world.work()).toBe('done');
    expect(await world.seen()).toEqual(NEW);
    expect(await world.generationsOf('passage')).toEqual([1, 2]);
  });

  it('stays as it was when that fails, and when it is cancelled', async () => {
    world.nextEdition();
    await world.retry('extract');
    world.embedder.beforeBatch = async () => {
      throw new ModelRejected('words-1', '400');
    };
    expect(await world.work()).toBe('failed');
    expect(await world.seen()).toEqual(OLD);
    world.embedder.beforeBatch = async () => undefined;
    await world.retry('extract');
    await world.get(ProcessingService).cancel(world.principal, world.id);
    expect(await world.seen()).toEqual(OLD);
    expect(await world.generationsOf('passage')).toEqual([1]);
    expect(await world.query('select generation from document_generation where document_id = $1')).toEqual(
      [],
    );
    expect(await world.query('select status, reason_code from document where id = $1')).toEqual([
      { status: 'ready', reason_code: null },
    ]);
    for (const from of ['embed', 'extract'] as const) {
      await world.retry(from);
      expect(await world.work()).toBe('done');
    }
    expect(await world.seen()).toEqual(NEW);
  });

  it('is given up by cancelling when it failed', async () => {
    world.embedder.beforeBatch = async () => {
      throw new ModelRejected('words-1', '400');
    };
    world.nextEdition();
    await world.retry('extract');
    expect(await world.work()).toBe('failed');
    const { document } = await world.get(ProcessingService).cancel(world.principal, world.id);
    expect(document).toMatchObject({ status: 'ready', reasonCode: null, liveGeneration: 1 });
    expect(await world.seen()).toEqual(OLD);
    expect(await world.generationsOf('passage')).toEqual([1]);
    await expect(world.get(ProcessingService).cancel(world.principal, world.id)).rejects.toMatchObject({
      code: 'document-not-open',
    });
  });

  it('stays as it was while a person is to decide', async () => {
    world.nextEdition();
    await world.retry('extract');
    const doubtful = world.runnerWith('embed', (real) => ({
      run: async (task, signal) => ({
        ...(await real.run(task, signal)),
        evidence: { words: 100, garbledRatio: 0.5 },
      }),
    }));
    expect(await world.work(doubtful)).toBe('review');
    expect(await world.seen()).toEqual(OLD);
    await world.get(ProcessingService).review(world.principal, world.id, { decision: 'approve' }, undefined);
    expect(await world.work(doubtful)).toBe('done');
    expect(await world.seen()).toEqual(NEW);
  });

  it('is embedded anew without being read again, from a copy of its passages', async () => {
    world.nextEdition();
    const { reads } = world.book;
    await world.retry('embed');
    const { runner, lost } = world.dyingIn('structure', 'in the commit');
    expect(await world.work(runner, lost)).toBe('lost');
    while ((await world.get(JobStore).reclaim(['worker-1'])) === 0);
    world.embedder.beforeBatch = async () => expect(await world.seen()).toEqual(OLD) as unknown as void;
    expect(await world.work()).toBe('done');
    expect(world.book.reads).toBe(reads);
    expect(await world.seen()).toEqual(OLD);
    expect(
      await world.query('select live_generation, semantic_generation, version from document where id = $1'),
    ).toEqual([{ live_generation: 2, semantic_generation: 2, version: 3 }]);
    const postings = `select term, block, entries from posting where document_id = $1 and generation = $2
      order by term, block`;
    expect(await world.query(postings, [world.id, 2])).toEqual(await world.query(postings, [world.id, 1]));
    expect(await world.generationsOf('document_insight')).toEqual([1, 2]);
  });
});

it('shows each tenant its own generations only', async () => {
  world.nextEdition();
  await world.retry('extract');
  await world.work();
  const stranger = await world.db.createTenant();
  const rows = await world
    .get(TenantDb)
    .read(stranger.tenantId, (tx) => tx.query('select from document_generation'));
  expect(rows).toEqual([]);
});

it('takes its migration back and makes it again, and then knows by which model documents are embedded', async () => {
  const { CreateGenerations1764000021000 } =
    await import('../../../migrations/1764000021000-create-generations.js');
  const migration = new CreateGenerations1764000021000();
  const q = { query: async (sql: string) => (await world.db.owner.query(sql)).rows } as never;
  await migration.down(q);
  expect(
    await world.query(`select from pg_tables where tablename ~ '^(reindex|document_generation)'`, []),
  ).toEqual([]);
  await migration.up(q);
  expect(await world.seen()).toEqual(OLD);
  expect(await world.query('select embedding_model from document where id = $1')).toEqual([
    { embedding_model: 'words-1' },
  ]);
  const unforced = await world.query(
    `select relname from pg_class where relname in ('document', 'passage_vector') and not relforcerowsecurity`,
    [],
  );
  expect(unforced).toEqual([]);
});
