import { randomUUID } from 'node:crypto';
import type { Principal } from '#libs/auth';
import { DocumentStore } from '../../../apps/api/src/ingestion/documents/document.store.js';
import { toDocumentBody } from '../../../apps/api/src/ingestion/documents/document.dto.js';
import { ProcessingService } from '../../../apps/api/src/ingestion/documents/processing.service.js';
import { DocumentsService } from '../../../apps/api/src/ingestion/documents/documents.service.js';
import { GenerationUpkeep } from '../../../apps/api/src/ingestion/generations/generation-upkeep.js';
import type { CreateReindex } from '../../../apps/api/src/ingestion/generations/reindex.dto.js';
import { ReindexesService } from '../../../apps/api/src/ingestion/generations/reindexes.service.js';
import { JobStore } from '../../../apps/api/src/ingestion/jobs/job.store.js';
import { JobRunner } from '../../../apps/api/src/ingestion/workflow/job-runner.js';
import { ModelRejected } from '../../../apps/api/src/rag/index.js';
import { documentMaker, type Owner } from '../../support/documents.js';
import { generationWorld } from '../../support/generation-world.js';
import { WordEmbedder } from '../../support/passages.js';
import { testDatabase, type TestDatabase } from '../../support/test-database.js';

let db: TestDatabase;
let world: Awaited<ReturnType<typeof generationWorld>>;
let embedder: WordEmbedder;
let owner: Owner;
const never = new AbortController().signal;

beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db.close());
beforeEach(async () => {
  await db.owner.query('delete from document');
  await db.owner.query('delete from reindex');
  owner = await db.createTenant();
  embedder = new WordEmbedder();
  world = await generationWorld(db, { embedder });
});

const get = <T>(type: abstract new (...args: never[]) => T): T =>
  world.module.get<T>(type, { strict: false });
const admin = (): Principal => ({ ...owner, role: 'admin', via: 'session', credentialId: 'test' });
const add = (collection: string | null = null) => documentMaker(db).addDocument(owner, { collection });
const advance = () => get(GenerationUpkeep).advance();
const order = (scope: CreateReindex['scope'], from: CreateReindex['from'] = 'structure') =>
  get(ReindexesService).create(admin(), { scope, from }, undefined);
const reindex = (id: string) => get(ReindexesService).get(admin(), id);
const find = async (id: string) =>
  (await db.tenantDb.read(owner.tenantId, (tx) => get(DocumentStore).find(tx, id)))!;
const generations = (ids: string[]) => Promise.all(ids.map(async (id) => (await find(id)).liveGeneration));
const itemsOf = async (id: string) =>
  new Map(
    (await get(ReindexesService).listItems(admin(), id, { limit: 100 })).items.map((item) => [
      item.document_id,
      [item.state, item.reason_code],
    ]),
  );

/** The documents whose jobs a worker takes until nothing waits, in that order. */
async function workAll(most = Infinity): Promise<string[]> {
  const done: string[] = [];
  while (done.length < most) {
    const job = await get(JobStore).claim('worker-1');
    if (!job) break;
    await get(JobRunner).run(job, never);
    done.push(job.documentId);
  }
  return done;
}

async function ready(count: number, collection: string | null = null): Promise<string[]> {
  const ids = await Promise.all(Array.from({ length: count }, () => add(collection)));
  await workAll();
  return ids.toSorted();
}

/** The next text that is embedded is refused. */
function refuse(): void {
  embedder.embed = () => Promise.reject(new ModelRejected('words-1', '400'));
}

describe('an order to make documents anew', () => {
  it('does all documents of a collection, behind what people bring, and nothing else', async () => {
    const [inside, outside] = [await ready(2, 'plans'), await ready(1)];
    const { id, items, scope } = await order({ collection: 'plans' });
    expect({ scope, items }).toMatchObject({
      scope: { collection: 'plans' },
      items: { total: 2, waiting: 2 },
    });
    await advance();
    expect(await reindex(id)).toMatchObject({ state: 'running', items: { running: 2 }, percent: 0 });
    expect((await find(inside[0]!)).priority).toBe('low');
    const upload = await add();
    expect(await workAll()).toEqual([upload, ...inside]);
    expect(await reindex(id)).toMatchObject({ items: { switched: 2 }, percent: 100 });
    await advance();
    expect(await reindex(id)).toMatchObject({ state: 'finished', finished_at: expect.any(String) });
    expect(await generations([...inside, ...outside])).toEqual([2, 2, 1]);
    expect((await find(inside[0]!)).priority).toBe('normal');
  });

  it('waits for documents under way, and says which ones it leaves out and why', async () => {
    const [done] = await ready(1);
    const failed = await add();
    world.book.paragraphs = 0;
    await workAll();
    world.book.paragraphs = 12;
    const underWay = await add();
    const [unknown, foreign] = [randomUUID(), await documentMaker(db).addDocument(await db.createTenant())];
    const ids = [done!, failed, underWay, unknown, foreign];
    const { id, items } = await order({ document_ids: [...ids, done!] });
    expect(items).toMatchObject({ total: 5, waiting: 3, skipped: 2 });
    await advance();
    expect(await itemsOf(id)).toEqual(
      new Map([
        [done, ['running', null]],
        [failed, ['skipped', 'not-answerable']],
        [underWay, ['waiting', null]],
        [unknown, ['skipped', 'document-not-found']],
        [foreign, ['skipped', 'document-not-found']],
      ]),
    );
    await workAll();
    await advance();
    await workAll();
    await advance();
    expect(await reindex(id)).toMatchObject({ state: 'finished', items: { switched: 2, skipped: 3 } });
    expect(await generations([done!, underWay])).toEqual([2, 2]);
  });

  it('tells what failed, whose old passages go on being found, and which documents went away', async () => {
    const [gone, failing] = await ready(2);
    const { id } = await order({ everything: true });
    await advance();
    await get(DocumentsService).delete(admin(), gone!);
    refuse();
    await workAll();
    await advance();
    expect(await itemsOf(id)).toEqual(
      new Map([
        [gone, ['skipped', 'document-deleted']],
        [failing, ['failed', 'embedding-refused']],
      ]),
    );
    expect(await find(failing!)).toMatchObject({ liveGeneration: 1, answerable: 'semantic' });
  });

  it('leaves a protected file out where its password is needed, which is not kept', async () => {
    const [locked, open] = await ready(2);
    const protect = `update document set assessment = assessment || '{"needsPassword": true}' where id = $1`;
    await db.owner.query(protect, [locked]);
    const { id } = await order({ everything: true }, 'structure');
    await advance();
    await workAll();
    expect(await itemsOf(id)).toEqual(
      new Map([
        [locked, ['skipped', 'password-needed']],
        [open, ['switched', null]],
      ]),
    );
    expect(await find(locked!)).toMatchObject({ status: 'ready', liveGeneration: 1 });
    await order({ document_ids: [locked!] }, 'embed');
    await advance();
    await workAll();
    expect(await find(locked!)).toMatchObject({
      liveGeneration: 2,
      assessment: expect.objectContaining({ needsPassword: true }),
    });
  });

  it('is carried out once by several workers at a time', async () => {
    const ids = await ready(8);
    const { id } = await order({ everything: true }, 'embed');
    const other = await generationWorld(db, { embedder });
    const upkeeps = [get(GenerationUpkeep), other.module.get(GenerationUpkeep, { strict: false })];
    const reads = world.book.reads;
    for (let open = true; open;) {
      await Promise.all(upkeeps.map((upkeep) => upkeep.advance()));
      await workAll();
      open = (await reindex(id)).finished_at === null;
    }
    expect(await reindex(id)).toMatchObject({ state: 'finished', items: { switched: 8 } });
    expect(await generations(ids)).toEqual(ids.map(() => 2));
    expect(world.book.reads).toBe(reads);
    const jobs = await db.owner.query('select distinct generation from job');
    expect(jobs.rows).toEqual([{ generation: 2 }]);
  });
});

describe('a cancelled order', () => {
  it('begins nothing more, stops what is under way, and leaves everything as it is found', async () => {
    world.book.paragraphs = 2;
    const ids = await ready(40);
    const { id } = await order({ everything: true });
    await advance();
    expect(await reindex(id)).toMatchObject({ items: { running: 32, waiting: 8 } });
    const [switched] = await workAll(1);
    const view = await get(ReindexesService).cancel(admin(), id);
    expect(view).toMatchObject({ state: 'cancelled', items: { switched: 1, cancelled: 39, waiting: 0 } });
    await advance();
    expect(await workAll()).toEqual([]);
    expect(await generations(ids)).toEqual(ids.map((one) => (one === switched ? 2 : 1)));
    expect(await reindex(id)).toMatchObject({ state: 'cancelled', finished_at: expect.any(String) });
    expect(await get(ReindexesService).cancel(admin(), id)).toMatchObject({ state: 'cancelled' });
    for (const one of ids) {
      const view = toDocumentBody(await get(DocumentsService).get(owner, one));
      expect(view).toMatchObject({ status: 'ready', answerable: 'semantic', percent: 100, reason: null });
    }
  });

  it('counts a document that is cancelled by itself', async () => {
    const [one] = await ready(1);
    const { id } = await order({ everything: true });
    await advance();
    await get(ProcessingService).cancel(admin(), one!);
    await advance();
    expect(await itemsOf(id)).toEqual(new Map([[one, ['cancelled', 'cancelled']]]));
    expect(await find(one!)).toMatchObject({ status: 'ready', liveGeneration: 1, priority: 'normal' });
  });

  it('is gone on with by a worker when whoever cancelled was cut off', async () => {
    const [one] = await ready(1);
    const { id } = await order({ everything: true });
    await advance();
    await db.owner.query(`update reindex set state = 'cancelled'`);
    await advance();
    expect(await reindex(id)).toMatchObject({ items: { cancelled: 1 }, finished_at: expect.any(String) });
    expect(await find(one!)).toMatchObject({ status: 'ready', liveGeneration: 1, priority: 'normal' });
  });

  it('has to be one that runs', async () => {
    const { id } = await order({ everything: true });
    await advance();
    await expect(get(ReindexesService).cancel(admin(), id)).rejects.toMatchObject({ code: 'reindex-ended' });
    await expect(get(ReindexesService).cancel(admin(), randomUUID())).rejects.toMatchObject({
      code: 'reindex-not-found',
    });
  });
});

describe('an order that is rolled back', () => {
  it('gives every document back what it was, but for those that nothing is kept of', async () => {
    const [plain, remade, swept, gone] = await ready(4);
    const { id } = await order({ everything: true });
    await advance();
    await expect(get(ReindexesService).rollBack(admin(), id)).rejects.toMatchObject({
      code: 'reindex-not-ended',
    });
    await workAll();
    await advance();
    await get(ProcessingService).retry(admin(), remade!, { fromStage: 'structure' }, undefined);
    await workAll();
    await db.owner.query(`update document_generation set expires_at = now() where document_id = $1`, [swept]);
    await get(DocumentsService).delete(admin(), gone!);
    expect(await get(ReindexesService).rollBack(admin(), id)).toMatchObject({ state: 'rolling_back' });
    await advance();
    expect(await itemsOf(id)).toEqual(
      new Map([
        [plain, ['rolled_back', null]],
        [remade, ['switched', 'superseded']],
        [swept, ['switched', 'nothing-to-roll-back-to']],
        [gone, ['switched', 'document-deleted']],
      ]),
    );
    expect(await generations([plain!, remade!, swept!])).toEqual([1, 3, 2]);
    expect(await get(ReindexesService).rollBack(admin(), id)).toMatchObject({ state: 'rolled_back' });
  });
});

it('lists orders newest first, page by page, to their own tenant only', async () => {
  const ids: string[] = [];
  for (let i = 0; i < 3; i += 1) ids.unshift((await order({ everything: true })).id);
  const first = await get(ReindexesService).list(admin(), { limit: 2 });
  expect(first.items.map(({ id }) => id)).toEqual(ids.slice(0, 2));
  const rest = await get(ReindexesService).list(admin(), { limit: 2, cursor: first.next_cursor! });
  expect(rest.items.map(({ id }) => id)).toEqual(ids.slice(2));
  const stranger = { ...admin(), ...(await db.createTenant()) };
  expect((await get(ReindexesService).list(stranger, { limit: 2 })).items).toEqual([]);
  await expect(get(ReindexesService).get(stranger, ids[0]!)).rejects.toMatchObject({
    code: 'reindex-not-found',
  });
});
