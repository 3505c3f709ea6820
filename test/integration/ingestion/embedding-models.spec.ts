import type { Principal } from '#libs/auth';
import { GenerationUpkeep } from '../../../apps/api/src/ingestion/generations/generation-upkeep.js';
import { ReindexesService } from '../../../apps/api/src/ingestion/generations/reindexes.service.js';
import { JobStore } from '../../../apps/api/src/ingestion/jobs/job.store.js';
import { JobRunner } from '../../../apps/api/src/ingestion/workflow/job-runner.js';
import { documentMaker, type Owner } from '../../support/documents.js';
import { generationWorld } from '../../support/generation-world.js';
import { WordEmbedder } from '../../support/passages.js';
import { testDatabase, type TestDatabase } from '../../support/test-database.js';

type World = Awaited<ReturnType<typeof generationWorld>>;

let db: TestDatabase;
let owner: Owner;
let previous: CountingEmbedder;
const never = new AbortController().signal;

class CountingEmbedder extends WordEmbedder {
  calls = 0;
  isAway = false;
  override async embed(texts: readonly string[], signal: AbortSignal) {
    this.calls += 1;
    if (this.isAway) throw new Error('it is away');
    return super.embed(texts, signal);
  }
}

/** As another model: its vectors have another size, and say something else. */
class NextEmbedder extends WordEmbedder {
  override readonly model = 'words-2';
  override readonly dimensions = 64;
}

const get = <T>({ module }: World, type: abstract new (...args: never[]) => T): T =>
  module.get<T>(type, { strict: false });

beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db.close());
beforeEach(async () => {
  await db.owner.query('delete from document');
  await db.owner.query('delete from reindex');
  owner = await db.createTenant();
  previous = new CountingEmbedder();
});

async function work(world: World): Promise<void> {
  for (let job = await get(world, JobStore).claim('worker-1'); job;) {
    await get(world, JobRunner).run(job, never);
    job = await get(world, JobStore).claim('worker-1');
  }
}

/** Two documents by the model before, and a program that is configured with another one. */
async function withNextModel({ knowsPrevious = true } = {}): Promise<World> {
  const before = await generationWorld(db, { embedder: previous });
  before.book.paragraphs = 4;
  for (let i = 0; i < 2; i += 1) await documentMaker(db).addDocument(owner);
  await work(before);
  return generationWorld(db, {
    embedder: new NextEmbedder(),
    ...(knowsPrevious && { previous }),
  });
}

async function search(world: World) {
  const { hits, mode, reason, degradation } = await world.retriever.retrieve(
    { reader: owner, query: 'the plan pays for care', limit: 100 },
    never,
  );
  const compared = hits.filter(({ semanticScore }) => semanticScore !== null).length;
  return { found: hits.length, compared, mode, reason, level: degradation?.level };
}

describe('a change of the embedding model', () => {
  it('costs no search the meaning of a document, while all of them are embedded anew', async () => {
    const world = await withNextModel();
    const whole = { found: 24, compared: 24, mode: 'hybrid' };
    expect(await search(world)).toEqual(whole);
    const admin: Principal = { ...owner, role: 'admin', via: 'session', credentialId: 'test' };
    const { id } = await get(world, ReindexesService).create(
      admin,
      { scope: { everything: true }, from: 'embed' },
      undefined,
    );
    const searches: Awaited<ReturnType<typeof search>>[] = [];
    let isOver = false;
    const searching = (async () => {
      do searches.push(await search(world));
      while (!isOver);
    })();
    await get(world, GenerationUpkeep).advance();
    await work(world);
    isOver = true;
    await searching;
    for (const seen of searches) expect(seen).toEqual(whole);
    expect(await get(world, ReindexesService).get(admin, id)).toMatchObject({ items: { switched: 2 } });
    const models = await db.owner.query(`select distinct embedding_model from document`);
    expect(models.rows).toEqual([{ embedding_model: 'words-2' }]);

    const { calls } = previous;
    expect(await search(world)).toEqual(whole);
    expect(previous.calls).toBe(calls);
  });

  it('leaves the documents of the model before to their words, and says so, while that model is away', async () => {
    const world = await withNextModel();
    await documentMaker(db).addDocument(owner);
    world.book.paragraphs = 4;
    await work(world);
    previous.isAway = true;
    expect(await search(world)).toEqual({
      ...{ found: 36, compared: 12, mode: 'hybrid' },
      ...{ reason: 'previous-embedder-unavailable', level: 'degraded' },
    });
    previous.isAway = false;
    expect(await search(world)).toMatchObject({ found: 36, compared: 36 });
  });

  it('that nobody was told of leaves old documents to their words', async () => {
    expect(await search(await withNextModel({ knowsPrevious: false }))).toEqual({
      ...{ found: 24, compared: 0, mode: 'hybrid', reason: undefined, level: undefined },
    });
  });
});
