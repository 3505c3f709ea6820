import { DocumentRejected } from '../../../apps/api/src/ingestion/workflow/stage-work.js';
import { type StageName } from '../../../apps/api/src/ingestion/workflow/ingestion-stages.js';
import { ProcessingWorld, type Script, stageOf } from '../../support/processing-world.js';

let world: ProcessingWorld;
beforeAll(async () => {
  world = await ProcessingWorld.start();
});
afterAll(() => world.close());
beforeEach(() => world.begin());

describe('a retry', () => {
  it('from a stage does it and all after it again', async () => {
    const id = await world.maker.addDocument(world.owner);
    await world.run({
      embed: async () => {
        throw new DocumentRejected('embedding-refused', 'Refused.');
      },
    });
    await world.db.owner.query(`update document set tags = '{}' where id = $1`, [id]);
    await world.db.owner.query(
      `insert into job_part (tenant_id, document_id, stage, ordinal, range, result, detail, started_at)
       values ($1, $2, 'extract', 0, '[1,1]', '', '{}', now())`,
      [world.owner.tenantId, id],
    );
    expect((await world.post(`/documents/${id}/retry`, { from_stage: 'structure' })).status).toBe(202);
    await world.run();
    expect((await world.document(id)).tags.toSorted()).toEqual(['assess', 'embed', 'publish', 'structure']);
  });

  it('of a ready document makes a new generation beside the one that is found', async () => {
    const id = await world.maker.addDocument(world.owner);
    const publishing: Script = {
      structure: async ({ job }) => ({
        document: { lexical: { generation: job.generation, pageCount: 1, passageCount: 1 } },
      }),
    };
    await world.run(publishing);
    const live = async () =>
      (await world.db.owner.query(`select live_generation from document where id = $1`, [id])).rows[0]
        .live_generation;
    const { body } = await world.post(`/documents/${id}/retry`, { from_stage: 'structure' });
    expect(body).toMatchObject({ status: 'queued', answerable: 'lexical' });
    expect(stageOf(body, 'extract').status).toBe('pending');
    expect(await live()).toBe(1);
    await world.run(publishing);
    expect(await live()).toBe(2);
    expect((await world.document(id)).status).toBe('ready');
  });

  it('says why it cannot be', async () => {
    const id = await world.maker.addDocument(world.owner);
    expect(await world.post(`/documents/${id}/retry`, { from_stage: 'embed' })).toMatchObject({
      status: 409,
      body: { code: 'document-busy', document_status: 'queued' },
    });
    await world.run();
    expect(await world.post(`/documents/${id}/retry`)).toMatchObject({
      status: 409,
      body: { code: 'document-not-failed', document_status: 'ready' },
    });
    expect((await world.post(`/documents/${id}/retry`, { from_stage: 'cook' })).status).toBe(400);
  });
});

describe('the priority of a document', () => {
  it('can be changed until all is done', async () => {
    const [first, second] = [
      await world.maker.addDocument(world.owner),
      await world.maker.addDocument(world.owner),
    ];
    expect((await world.document(second)).priority).toBe('normal');
    const { status, body } = await world.post(`/documents/${second}/priority`, { priority: 'high' });
    expect({ status, priority: body.priority }).toEqual({ status: 200, priority: 'high' });
    expect((await world.maker.jobs.claim('worker-1'))!.documentId).toBe(second);
    await world.run();
    expect(await world.post(`/documents/${first}/priority`, { priority: 'low' })).toMatchObject({
      status: 409,
      body: { code: 'document-not-open' },
    });
  });
});

describe('the expected time of a document', () => {
  it('is told once documents were processed, and not while they are paused', async () => {
    await world.maker.addDocument(world.owner);
    await world.run();
    const id = await world.maker.addDocument(world.owner);
    const { expected_at } = await world.document(id);
    expect(Date.parse(expected_at!)).toBeGreaterThan(Date.now() - 60_000);
    await world.post('/ingestion/pause', {}, { role: 'admin' });
    expect((await world.document(id)).expected_at).toBeNull();
  });
});

interface Letters {
  items: {
    document_id: string;
    reason_code: string;
    stage: string;
    attempts: number;
    title: string | null;
  }[];
  next_cursor: string | null;
}

describe('dead letters', () => {
  const fail = (stage: StageName, code: string): Script => ({
    [stage]: async () => {
      throw new DocumentRejected(code, 'No.');
    },
  });
  const letters = async (query = '') =>
    (await world.call<Letters>('GET', `/ingestion/dead-letters${query}`, undefined, { role: 'admin' })).body;

  async function failed(stage: StageName, code: string, collection: string | null = null): Promise<string> {
    const id = await world.maker.addDocument(world.owner, { collection });
    await world.run(fail(stage, code));
    return id;
  }

  it('are listed with reason, stage and attempts, page by page, the last one first', async () => {
    const a = await failed('extract', 'corrupt-file', 'plans');
    const b = await failed('embed', 'embedding-refused');
    const c = await failed('extract', 'parse-memory', 'plans');
    const first = await letters('?limit=2');
    expect(first.items).toMatchObject([
      { document_id: c, reason_code: 'parse-memory', stage: 'extract', attempts: 1, title: 'Plan' },
      { document_id: b, reason_code: 'embedding-refused', stage: 'embed' },
    ]);
    const rest = await letters(`?limit=2&cursor=${first.next_cursor}`);
    expect(rest.items.map((item) => item.document_id)).toEqual([a]);
    expect(rest.next_cursor).toBeNull();
    const of = async (query: string) => (await letters(query)).items.map((item) => item.document_id);
    expect(await of('?reason=corrupt-file')).toEqual([a]);
    expect(await of('?stage=embed')).toEqual([b]);
    expect(await of('?collection=plans')).toEqual([c, a]);
    expect((await world.call<{ dead_letters: number }>('GET', '/ingestion')).body.dead_letters).toBe(3);
  });

  it("hide the titles of other people's private documents", async () => {
    await failed('extract', 'corrupt-file');
    const admin = { tenantId: world.owner.tenantId, userId: (await world.db.createTenant()).userId };
    const { body } = await world.call<Letters>('GET', '/ingestion/dead-letters', undefined, {
      as: admin,
      role: 'admin',
    });
    expect(body.items).toMatchObject([{ reason_code: 'corrupt-file', title: null }]);
  });

  it('are tried again by what they have in common, up to a limit, and each once', async () => {
    const ids = [];
    for (let i = 0; i < 3; i++) ids.push(await failed('extract', 'parse-memory'));
    const other = await failed('embed', 'embedding-refused');
    const retry = async (json: object) =>
      (await world.post<object>('/ingestion/dead-letters/retry', json, { role: 'admin' })).body;
    expect(await retry({ reason: 'parse-memory', limit: 2 })).toEqual({ retried: 2, remaining: 1 });
    expect((await world.document(ids[0]!)).status).toBe('queued');
    expect((await world.document(ids[2]!)).status).toBe('failed');
    expect(await retry({ ids: [ids[0], ids[2], other] })).toEqual({ retried: 2, remaining: 0 });
    expect(await retry({ ids: [ids[0], ids[2], other] })).toEqual({ retried: 0, remaining: 0 });
    for (let i = 0; i < 4; i++) expect(await world.run()).toBe('done');
    expect(await letters()).toEqual({ items: [], next_cursor: null });
  });

  it('of another tenant are neither seen nor tried again', async () => {
    const id = await failed('extract', 'corrupt-file');
    const stranger = { as: await world.db.createTenant(), role: 'admin' as const };
    expect(
      (await world.call<Letters>('GET', '/ingestion/dead-letters', undefined, stranger)).body.items,
    ).toEqual([]);
    expect((await world.post<object>('/ingestion/dead-letters/retry', { ids: [id] }, stranger)).body).toEqual(
      {
        retried: 0,
        remaining: 0,
      },
    );
    expect((await world.document(id)).status).toBe('failed');
  });
});
