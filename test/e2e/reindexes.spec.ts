import { randomUUID } from 'node:crypto';
import { jest } from '@jest/globals';
import { planText } from '../../bench/plan-text.js';
import { eventually, signedIn } from '../support/operator.js';
import { testApp, type TestApp } from '../support/test-app.js';

// The real parser and the real embedding model: seconds on a busy machine.
jest.setTimeout(60_000);

interface ReindexBody {
  id: string;
  state: string;
  items: Record<string, number>;
  percent: number;
  finished_at: string | null;
}
interface DocumentBody {
  id: string;
  status: string;
  generation: number | null;
  rollback_until: string | null;
}

let app: TestApp;
let member: Record<string, string>;
let documents: string[];

beforeAll(async () => {
  app = await testApp({ WORKER_POLL_MS: '100' });
  member = await signedIn(app, 'member');
  documents = [];
  for (let i = 0; i < 3; i += 1) documents.push(await upload(planText(i, 4)));
  for (const id of documents)
    await eventually(
      () => document(id),
      ({ status }) => status === 'ready',
    );
});
afterAll(() => app.close());

async function call<T = ReindexBody>(
  path: string,
  json?: unknown,
  headers: Record<string, string> = app.admin,
): Promise<{ status: number; body: T; location: string | null }> {
  const response = await app.fetch(`/v1${path}`, { headers, ...(json !== undefined && { json }) });
  const location = response.headers.get('location');
  return { status: response.status, body: (await response.json()) as T, location };
}

async function upload(text: string): Promise<string> {
  const form = new FormData();
  form.append('collection', 'plans');
  form.append('file', new File([text], 'plan.md'));
  const response = await app.fetch('/v1/documents', { method: 'POST', body: form, headers: app.admin });
  return ((await response.json()) as DocumentBody).id;
}

const document = async (id: string) => (await call<DocumentBody>(`/documents/${id}`)).body;
const generations = async () => Promise.all(documents.map(async (id) => (await document(id)).generation));
const ended = (id: string) =>
  eventually(
    async () => (await call(`/reindexes/${id}`)).body,
    ({ finished_at }) => finished_at !== null,
  );

/** Searches without a pause until it is told to stop, and gives what each search found. */
function searching(): () => Promise<{ mode: string; documents: number }[]> {
  const found: { mode: string; documents: number }[] = [];
  let isOver = false;
  const loop = (async () => {
    while (!isOver) {
      const { body } = await call<{ mode: string; hits: { document_id: string }[] }>('/search', {
        query: 'what does the plan pay',
        limit: 50,
      });
      found.push({ mode: body.mode, documents: new Set(body.hits.map((hit) => hit.document_id)).size });
    }
  })();
  return async () => {
    isOver = true;
    await loop;
    return found;
  };
}

it('makes a collection anew while every search finds all of it, and gives it back', async () => {
  const stop = searching();
  const order = { scope: { collection: 'plans' }, from: 'extract', reason: 'a better parser' };
  const { status, body, location } = await call('/reindexes', order);
  expect({ status, location }).toEqual({ status: 202, location: `/v1/reindexes/${body.id}` });
  expect(await ended(body.id)).toMatchObject({
    state: 'finished',
    items: { total: 3, switched: 3 },
    percent: 100,
  });
  expect(await generations()).toEqual([2, 2, 2]);

  expect((await call(`/reindexes/${body.id}/rollback`, {})).status).toBe(202);
  expect(await ended(body.id)).toMatchObject({ state: 'rolled_back', items: { rolled_back: 3 } });
  expect(await generations()).toEqual([1, 1, 1]);
  const searches = await stop();
  expect(searches.length).toBeGreaterThan(3);
  for (const search of searches) expect(search).toEqual({ mode: 'hybrid', documents: 3 });
});

it('cancels an order: what waited is not begun, and all is found as before', async () => {
  const before = await generations();
  await call('/ingestion/pause', {});
  const { body } = await call('/reindexes', { scope: { document_ids: documents }, from: 'embed' });
  await eventually(
    async () => (await call(`/reindexes/${body.id}`)).body,
    ({ items }) => items.running === 3,
  );
  const stop = searching();
  expect(await call(`/reindexes/${body.id}/cancel`, {})).toMatchObject({
    status: 200,
    body: { state: 'cancelled', items: { cancelled: 3 } },
  });
  await call('/ingestion/resume', {});
  await ended(body.id);
  for (const search of await stop()) expect(search).toEqual({ mode: 'hybrid', documents: 3 });
  expect(await generations()).toEqual(before);
  const items = await call<{ items: { state: string }[] }>(`/reindexes/${body.id}/items?state=cancelled`);
  expect(items.body.items).toHaveLength(3);
});

it('switches one document back for its owner, and says when there is nothing to go back to', async () => {
  const id = await upload(planText(9, 2));
  await eventually(
    () => document(id),
    ({ status }) => status === 'ready',
  );
  expect(await call(`/documents/${id}/rollback`, {})).toMatchObject({
    status: 409,
    body: { code: 'nothing-to-roll-back-to' },
  });
  expect((await call(`/documents/${id}/retry`, { from_stage: 'embed' })).status).toBe(202);
  const made = await eventually(
    () => document(id),
    ({ status }) => status === 'ready',
  );
  expect(made).toMatchObject({ generation: 2, rollback_until: expect.any(String) });
  expect(await call(`/documents/${id}/rollback`, {})).toMatchObject({ status: 200, body: { generation: 1 } });
  expect((await call(`/documents/${id}/rollback`, {}, member)).status).toBe(404);
});

it('is for those who manage the processing, once for a key, and leaves a trace', async () => {
  const order = { scope: { document_ids: [randomUUID()] } };
  expect((await call('/reindexes', order, member)).status).toBe(403);
  for (const wrong of [{}, { scope: {} }, { scope: { everything: false } }, { ...order, from: 'publish' }])
    expect((await call('/reindexes', wrong)).status).toBe(400);
  const headers = { ...app.admin, 'idempotency-key': randomUUID() };
  const [first, second] = [
    await call('/reindexes', order, headers),
    await call('/reindexes', order, headers),
  ];
  expect(second.body.id).toBe(first.body.id);
  expect(first.body).toMatchObject({ items: { total: 1, skipped: 1 }, percent: 100 });
  expect((await call(`/reindexes/${randomUUID()}`)).status).toBe(404);
  const events = await call<{ items: { action: string; outcome: string }[] }>(
    '/audit/events?action=reindex.create&outcome=success',
  );
  expect(events.body.items.map(({ action }) => action)).toContain('reindex.create');
});
