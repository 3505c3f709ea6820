import { TenantDb } from '#libs/database';
import type { Principal } from '#libs/auth';
import { DocumentStore } from '../../../apps/api/src/ingestion/documents/document.store.js';
import { ProcessingService } from '../../../apps/api/src/ingestion/documents/processing.service.js';
import { InsightStore } from '../../../apps/api/src/ingestion/facts/insight.store.js';
import { GenerationUpkeep } from '../../../apps/api/src/ingestion/generations/generation-upkeep.js';
import { LeaseLost } from '../../../apps/api/src/ingestion/jobs/job.js';
import { JobStore } from '../../../apps/api/src/ingestion/jobs/job.store.js';
import { STAGE_NAMES, type StageName } from '../../../apps/api/src/ingestion/workflow/ingestion-stages.js';
import { JobRunner } from '../../../apps/api/src/ingestion/workflow/job-runner.js';
import { type StageWork, StageWorks } from '../../../apps/api/src/ingestion/workflow/stage-work.js';
import { ModelRejected } from '../../../apps/api/src/rag/index.js';
import { documentMaker, type Owner } from '../../support/documents.js';
import { generationWorld } from '../../support/generation-world.js';
import { WordEmbedder } from '../../support/passages.js';
import { testDatabase, type TestDatabase } from '../../support/test-database.js';

let db: TestDatabase;
let world: Awaited<ReturnType<typeof generationWorld>>;
let owner: Owner;
let id: string;
let embedder: ScriptedEmbedder;
const never = new AbortController().signal;

class ScriptedEmbedder extends WordEmbedder {
  beforeBatch: () => Promise<void> = async () => undefined;
  override async embed(texts: readonly string[], signal: AbortSignal) {
    if (texts[0]!.startsWith('Edition')) await this.beforeBatch();
    return super.embed(texts, signal);
  }
}

beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db.close());
beforeEach(async () => {
  await db.owner.query('delete from document');
  owner = await db.createTenant();
  embedder = new ScriptedEmbedder();
  world = await generationWorld(db, { embedder });
  id = await documentMaker(db).addDocument(owner);
  expect(await work()).toBe('done');
});

const get = <T>(type: abstract new (...args: never[]) => T): T =>
  world.module.get<T>(type, { strict: false });
const principal = (): Principal => ({ ...owner, role: 'member', via: 'session', credentialId: 'test' });
const query = async (sql: string, parameters: unknown[] = [id]) =>
  (await db.owner.query(sql, parameters)).rows;
const generationsOf = async (table: string): Promise<number[]> =>
  (await query(`select distinct generation from ${table} where document_id = $1 order by 1`)).map(
    (row) => row.generation,
  );

/** Takes the job that is queued, as a worker does, and sees it to its end. */
async function work(runner = get(JobRunner), lost: AbortSignal = never) {
  for (;;) {
    const job = await get(JobStore).claim('worker-1');
    if (job) return runner.run(job, lost);
  }
}

const retry = (fromStage?: StageName) =>
  get(ProcessingService).retry(principal(), id, { fromStage }, undefined);
const rollBack = () => get(ProcessingService).rollBack(principal(), id);

/** What a reader sees in one moment: the passages that a question finds, and what the document says of itself. */
async function seen() {
  const [{ hits }, document, insight] = await Promise.all([
    world.retriever.retrieve({ reader: owner, query: 'the plan pays for care', limit: 200 }, never),
    db.tenantDb.read(owner.tenantId, (tx) => get(DocumentStore).find(tx, id)),
    db.tenantDb.read(owner.tenantId, (tx) => get(InsightStore).listLive(tx, [id])),
  ]);
  const editions = new Set(hits.map(({ text }) => /^Edition (\w+)/.exec(text)![1]));
  return {
    editions: [...editions],
    passages: hits.length,
    withVector: hits.filter(({ semanticScore }) => semanticScore !== null).length,
    answerable: document!.answerable,
    counted: document!.passageCount,
    assessed: document!.assessment?.passages,
    insights: insight.length,
  };
}

const whole = (edition: string, passages: number) => ({
  ...{ editions: [edition], passages, withVector: passages, answerable: 'semantic' },
  ...{ counted: passages, assessed: passages, insights: 1 },
});
const OLD = whole('alpha', 36);
const NEW = whole('beta', 24);

function nextEdition(edition = 'beta', paragraphs = 8): void {
  Object.assign(world.book, { edition, paragraphs });
}

/** A runner with one stage that is not quite as it is. */
function runnerWith(name: StageName, changed: (real: StageWork) => StageWork): JobRunner {
  const { works } = get(StageWorks);
  const stageWorks = { works: { ...works, [name]: changed(works[name]) } };
  return Object.create(get(JobRunner), { stageWorks: { value: stageWorks } }) as JobRunner;
}

/** Dies in the stage, before its work or when all of it is done but the commit. */
function dyingIn(
  name: StageName,
  when: 'before' | 'in the commit',
): { runner: JobRunner; lost: AbortSignal } {
  const lost = new AbortController();
  const die = (job: { documentId: string }) => {
    lost.abort(new LeaseLost(job));
    throw lost.signal.reason;
  };
  const runner = runnerWith(name, (real) => ({
    async run(task, signal) {
      if (when === 'before') die(task.job);
      const { commit, ...outcome } = await real.run(task, signal);
      return { ...outcome, commit: async (tx) => die((await commit?.(tx), task.job)) };
    },
  }));
  return { runner, lost: lost.signal };
}

describe('a document that is made anew', () => {
  it('is found as it was until all of it is there, and as it is from that moment on', async () => {
    expect(await seen()).toEqual(OLD);
    nextEdition();
    await retry('extract');
    const sightings: Awaited<ReturnType<typeof seen>>[] = [];
    let isOver = false;
    const reading = (async () => {
      do sightings.push(await seen());
      while (!isOver);
    })();
    expect(await work()).toBe('done');
    isOver = true;
    await reading;
    sightings.push(await seen());
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
    nextEdition();
    await retry('extract');
    const { runner, lost } = dyingIn(name, when);
    expect(await work(runner, lost)).toBe('lost');
    expect(await seen()).toEqual(OLD);
    while ((await get(JobStore).reclaim(['worker-1'])) === 0);
    expect(await work()).toBe('done');
    expect(await seen()).toEqual(NEW);
    expect(await generationsOf('passage')).toEqual([1, 2]);
  });

  it('stays as it was when that fails, and when it is cancelled', async () => {
    nextEdition();
    await retry('extract');
    embedder.beforeBatch = async () => {
      throw new ModelRejected('words-1', '400');
    };
    expect(await work()).toBe('failed');
    expect(await seen()).toEqual(OLD);
    embedder.beforeBatch = async () => undefined;
    await retry('extract');
    await get(ProcessingService).cancel(principal(), id);
    expect(await seen()).toEqual(OLD);
    expect(await generationsOf('passage')).toEqual([1]);
    expect(await query('select generation from document_generation where document_id = $1')).toEqual([]);
    expect(await query('select status, reason_code from document where id = $1')).toEqual([
      { status: 'ready', reason_code: null },
    ]);
    for (const from of ['embed', 'extract'] as const) {
      await retry(from);
      expect(await work()).toBe('done');
    }
    expect(await seen()).toEqual(NEW);
  });

  it('is given up by cancelling when it failed', async () => {
    embedder.beforeBatch = async () => {
      throw new ModelRejected('words-1', '400');
    };
    nextEdition();
    await retry('extract');
    expect(await work()).toBe('failed');
    const { document } = await get(ProcessingService).cancel(principal(), id);
    expect(document).toMatchObject({ status: 'ready', reasonCode: null, liveGeneration: 1 });
    expect(await seen()).toEqual(OLD);
    expect(await generationsOf('passage')).toEqual([1]);
    await expect(get(ProcessingService).cancel(principal(), id)).rejects.toMatchObject({
      code: 'document-not-open',
    });
  });

  it('stays as it was while a person is to decide', async () => {
    nextEdition();
    await retry('extract');
    const doubtful = runnerWith('embed', (real) => ({
      run: async (task, signal) => ({
        ...(await real.run(task, signal)),
        evidence: { words: 100, garbledRatio: 0.5 },
      }),
    }));
    expect(await work(doubtful)).toBe('review');
    expect(await seen()).toEqual(OLD);
    await get(ProcessingService).review(principal(), id, { decision: 'approve' }, undefined);
    expect(await work(doubtful)).toBe('done');
    expect(await seen()).toEqual(NEW);
  });

  it('is embedded anew without being read again, from a copy of its passages', async () => {
    nextEdition();
    const { reads } = world.book;
    await retry('embed');
    const { runner, lost } = dyingIn('structure', 'in the commit');
    expect(await work(runner, lost)).toBe('lost');
    while ((await get(JobStore).reclaim(['worker-1'])) === 0);
    embedder.beforeBatch = async () => expect(await seen()).toEqual(OLD) as unknown as void;
    expect(await work()).toBe('done');
    expect(world.book.reads).toBe(reads);
    expect(await seen()).toEqual(OLD);
    expect(
      await query('select live_generation, semantic_generation, version from document where id = $1'),
    ).toEqual([{ live_generation: 2, semantic_generation: 2, version: 3 }]);
    const postings = `select term, block, entries from posting where document_id = $1 and generation = $2
      order by term, block`;
    expect(await query(postings, [id, 2])).toEqual(await query(postings, [id, 1]));
    expect(await generationsOf('document_insight')).toEqual([1, 2]);
  });
});

describe('going back', () => {
  const before = async () => {
    nextEdition();
    await retry('extract');
    await work();
  };

  it('gives what was found before, and going back again what was found after', async () => {
    await before();
    const version = async () => (await query('select version from document where id = $1'))[0].version;
    const made = await version();
    const view = await rollBack();
    expect(view.document).toMatchObject({ status: 'ready', liveGeneration: 1, passageCount: 36 });
    expect(await seen()).toEqual(OLD);
    expect(await version()).toBe(made + 1);
    await rollBack();
    expect(await seen()).toEqual(NEW);
  });

  it('leaves what was gone back from alone when the document is made anew once more', async () => {
    await before();
    await rollBack();
    nextEdition('gamma', 5);
    await retry('structure');
    expect(await seen()).toEqual(OLD);
    expect(await work()).toBe('done');
    expect(await seen()).toEqual(whole('gamma', 15));
    expect(await query('select live_generation from document where id = $1')).toEqual([
      { live_generation: 3 },
    ]);
    await rollBack();
    expect(await seen()).toEqual(OLD);
  });

  it('is refused when there is nothing to go back to, and while the document is being made', async () => {
    await expect(rollBack()).rejects.toMatchObject({ code: 'nothing-to-roll-back-to' });
    await before();
    await retry('extract');
    await expect(rollBack()).rejects.toMatchObject({ code: 'document-busy' });
  });

  it('is not possible where nothing is kept', async () => {
    await world.module.close();
    world = await generationWorld(db, { embedder, retentionHours: 0 });
    await before();
    await expect(rollBack()).rejects.toMatchObject({ code: 'nothing-to-roll-back-to' });
    expect(await seen()).toEqual(NEW);
  });
});

describe('the sweep of generations', () => {
  const expire = (ago: string) =>
    query(`update document_generation set expires_at = now() - $2::interval where document_id = $1`, [
      id,
      ago,
    ]);
  const TABLES = ['passage', 'posting', 'passage_vector', 'passage_sign', 'document_insight'];

  it('removes what nobody can go back to, and nothing of what is found', async () => {
    nextEdition();
    await retry('extract');
    await work();
    const upkeep = get(GenerationUpkeep);
    expect(await upkeep.sweep()).toBe(0);
    // A question that began before the switch may still be reading.
    await expire('30 seconds');
    expect(await upkeep.sweep()).toBe(0);
    await expire('2 minutes');
    expect(await upkeep.sweep()).toBe(1);
    for (const table of TABLES) expect([table, await generationsOf(table)]).toEqual([table, [2]]);
    expect(await query('select from document_generation where document_id = $1')).toEqual([]);
    expect(await seen()).toEqual(NEW);
    await expect(rollBack()).rejects.toMatchObject({ code: 'nothing-to-roll-back-to' });
  });

  it('takes what a newer switch has replaced, and keeps what is made', async () => {
    for (const edition of ['beta', 'gamma']) {
      nextEdition(edition, 8);
      await retry('extract');
      await work();
    }
    await query(
      `update document_generation set expires_at = expires_at - interval '2 minutes' where document_id = $1`,
    );
    nextEdition('delta', 8);
    await retry('extract');
    const { runner, lost } = dyingIn('publish', 'before');
    expect(await work(runner, lost)).toBe('lost');
    expect(await get(GenerationUpkeep).sweep()).toBe(1);
    expect(await generationsOf('passage')).toEqual([2, 3, 4]);
    expect((await seen()).editions).toEqual(['gamma']);
  });

  it('goes on where it was cut off', async () => {
    nextEdition();
    await retry('extract');
    await work();
    await expire('2 minutes');
    await query(`delete from posting where document_id = $1 and generation = 1 and term > 'p'`);
    await query(`delete from passage where document_id = $1 and generation = 1 and ordinal > 3`);
    await query(`update document_generation set expires_at = '-infinity' where document_id = $1`);
    expect(await get(GenerationUpkeep).sweep()).toBe(1);
    expect(await generationsOf('passage')).toEqual([2]);
  });
});

it('shows each tenant its own generations only', async () => {
  nextEdition();
  await retry('extract');
  await work();
  const stranger = await db.createTenant();
  const rows = await get(TenantDb).read(stranger.tenantId, (tx) =>
    tx.query('select from document_generation'),
  );
  expect(rows).toEqual([]);
});

it('takes its migration back and makes it again, and then knows by which model documents are embedded', async () => {
  const { CreateGenerations1764000021000 } =
    await import('../../../migrations/1764000021000-create-generations.js');
  const migration = new CreateGenerations1764000021000();
  const q = { query: async (sql: string) => (await db.owner.query(sql)).rows } as never;
  await migration.down(q);
  expect(await query(`select from pg_tables where tablename ~ '^(reindex|document_generation)'`, [])).toEqual(
    [],
  );
  await migration.up(q);
  expect(await seen()).toEqual(OLD);
  expect(await query('select embedding_model from document where id = $1')).toEqual([
    { embedding_model: 'words-1' },
  ]);
  const unforced = await query(
    `select relname from pg_class where relname in ('document', 'passage_vector') and not relforcerowsecurity`,
    [],
  );
  expect(unforced).toEqual([]);
});
