import { randomUUID } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { allEvents } from '../support/event-reader.js';
import { eventually, signedIn } from '../support/operator.js';
import { testApp, type TestApp } from '../support/test-app.js';
import { zipFile } from '../support/zip-file.js';

type Headers = Record<string, string>;
interface ImportBody {
  id: string;
  state: string;
  items: Record<string, number>;
  documents: Record<string, number>;
  percent: number;
  eta_seconds: number | null;
  finished_at: string | null;
}
interface ItemBody {
  kind: string;
  name: string | null;
  url: string | null;
  state: string;
  reason: { code: string; message: string } | null;
  document: { id: string; status: string } | null;
  repeated: boolean;
}
interface Answer<T> {
  status: number;
  location: string | null;
  body: T;
}

let app: TestApp;
afterEach(() => app.close());

async function call<T = ImportBody>(
  path: string,
  { method = 'GET', headers = app.admin, ...init }: RequestInit & { headers?: Headers; json?: unknown } = {},
): Promise<Answer<T>> {
  const response = await app.fetch(`/v1/imports${path}`, { method, headers, ...init });
  return {
    status: response.status,
    location: response.headers.get('location'),
    body: (await response.json()) as T,
  };
}

function send(
  files: readonly [name: string, content: string | Buffer][],
  fields: Record<string, string> = {},
  headers: Headers = app.admin,
): Promise<Answer<ImportBody & { code?: string }>> {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  for (const [name, content] of files) form.append('file', new File([content as string], name));
  return call('', { method: 'POST', body: form, headers });
}

const sendUrls = (urls: string[], headers = app.admin) =>
  call<ImportBody & { code?: string }>('', { method: 'POST', json: { urls }, headers });
const post = <T = ImportBody>(path: string, headers?: Headers) => call<T>(path, { method: 'POST', headers });

async function itemsOf(id: string, query = '', headers = app.admin): Promise<ItemBody[]> {
  return (await call<{ items: ItemBody[] }>(`/${id}/items${query}`, { headers })).body.items;
}

async function events(id: string) {
  return allEvents(await app.fetch(`/v1/imports/${id}/events`, { headers: app.admin }));
}

async function blobsLeft(): Promise<string[]> {
  const files = await readdir(join(app.dataDir, 'blobs'), { recursive: true, withFileTypes: true });
  return files.filter((entry) => entry.isFile()).map((entry) => entry.name);
}

const ZIP = zipFile({
  'Plans/gold.txt': 'The gold plan covers the doctor.',
  'Plans/': '',
  '__MACOSX/Plans/._gold.txt': 'x',
  'Plans/.DS_Store': 'x',
  'Plans/tool.exe': Buffer.from('MZ\u0000\u0000'),
  'silver.md': '# Silver\n\nThe silver plan covers the hospital.',
});

describe('an import', () => {
  let server: Server;
  let origin: string;
  let answers: number[];

  beforeEach(async () => {
    answers = [];
    server = createServer((request, response) => {
      const status = answers.shift() ?? 200;
      if (request.url === '/gone') response.writeHead(404).end();
      else if (request.url === '/away')
        response.writeHead(302, { location: 'http://169.254.169.254/' }).end();
      else response.writeHead(status, { 'content-type': 'text/plain' }).end(`The plan at ${request.url}.`);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    app = await testApp({
      IMPORT_ALLOWED_NETWORKS: '127.0.0.1/32',
      WORKER_RETRY_DELAY_MS: '10',
      WORKER_POLL_MS: '100',
    });
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  it('takes several files and an archive, says what became of each, and ends when all are read', async () => {
    const { status, location, body } = await send(
      [
        ['bronze.txt', 'The bronze plan covers the dentist.'],
        ['empty.txt', ''],
        ['folder.zip', ZIP],
        ['broken.zip', 'no archive'],
        ['page.pdf', '<!doctype html><html><body>Not found'],
        ['last.txt', 'What comes behind the others is read too.'],
      ],
      { collection: 'plans', tags: 'a, b', visibility: 'tenant', priority: 'high' },
    );
    expect({ status, body }).toMatchObject({ status: 202 });
    expect(location).toBe(`/v1/imports/${body.id}`);

    const told = await events(body.id);
    expect(told[0]).toMatchObject({ event: 'import', data: { id: body.id, collection: 'plans' } });
    expect(told.at(-1)).toMatchObject({
      event: 'done',
      data: {
        state: 'finished',
        percent: 100,
        items: { total: 8, accepted: 4, refused: 4, waiting: 0, running: 0, cancelled: 0 },
        documents: { ready: 4, failed: 0 },
      },
    });
    expect(told.some(({ event }) => event === 'progress')).toBe(true);

    const items = await itemsOf(body.id);
    const outcome = ({ kind, name, state, reason, document }: ItemBody) => [
      kind,
      name,
      state,
      reason?.code ?? document?.status,
    ];
    expect(items.map(outcome).sort()).toEqual(
      [
        ['entry', 'gold.txt', 'accepted', 'ready'],
        ['entry', 'silver.md', 'accepted', 'ready'],
        ['entry', 'tool.exe', 'refused', 'unsupported-document-type'],
        ['file', 'bronze.txt', 'accepted', 'ready'],
        ['file', 'broken.zip', 'refused', 'archive-unreadable'],
        ['file', 'empty.txt', 'refused', 'empty-document'],
        ['file', 'last.txt', 'accepted', 'ready'],
        ['file', 'page.pdf', 'refused', 'mistyped-document'],
      ].sort(),
    );
    expect(await itemsOf(body.id, '?state=refused')).toHaveLength(4);
    const gold = items.find(({ name }) => name === 'gold.txt')!;
    const response = await app.fetch(`/v1/documents/${gold.document!.id}`, { headers: app.admin });
    expect(await response.json()).toMatchObject({
      collection: 'plans',
      tags: ['a', 'b'],
      visibility: 'tenant',
      priority: 'high',
      title: 'gold',
    });
    const metrics = await (await app.fetch('/metrics', { headers: app.admin })).text();
    expect(metrics).toMatch(
      /navigator_import_items_total\{[^}]*kind="entry"[^}]*outcome="accepted"[^}]*\} 2/,
    );
    expect(metrics).toMatch(/navigator_import_seconds_count(\{.*\})? 1/);

    // The archive has gone: only the four documents are left.
    expect(await blobsLeft()).toHaveLength(4);

    const again = await send([['same.txt', 'The bronze plan covers the dentist.']]);
    expect(await itemsOf(again.body.id)).toMatchObject([
      { state: 'accepted', repeated: true, document: { id: items[0]!.document!.id } },
    ]);
  }, 120_000);

  it('fetches addresses, and nothing from where it must not', async () => {
    answers = [503];
    const { body } = await sendUrls([
      `${origin}/plan.txt`,
      `${origin}/gone`,
      `${origin}/away`,
      'http://10.0.0.1/',
      'http://[::1]/',
      'file:///etc/passwd',
      'http://user:secret@example.com/x.pdf',
    ]);
    await events(body.id);
    const items = await itemsOf(body.id);
    expect(items.map(({ state, reason, document }) => reason?.code ?? document?.status ?? state)).toEqual([
      'ready',
      'url-refused',
      'address-not-allowed',
      'address-not-allowed',
      'address-not-allowed',
      'url-not-allowed',
      'url-not-allowed',
    ]);
    expect(items[0]).toMatchObject({ kind: 'url', name: 'plan.txt', url: `${origin}/plan.txt` });
    expect(JSON.stringify(items)).not.toContain('secret');
  }, 120_000);
});

/** A process that takes nothing, so that everything stays as the test left it. */
describe('the control of imports', () => {
  beforeEach(async () => {
    app = await testApp({ ROLE: 'api', IMPORT_MAX_ITEMS: '3' });
  });

  const jobs = async () =>
    (
      await app.db.owner.query<{ state: string; held: boolean }>(
        `select state, run_at = 'infinity' as held from job order by created_at`,
      )
    ).rows;

  it('pauses, resumes and cancels, each as often as one likes', async () => {
    const ready = await send([['own.txt', 'Mine from before.']]);
    const { body } = await send([
      ['a.txt', 'One.'],
      ['own.txt', 'Mine from before.'],
      ['b.zip', ZIP],
    ]);
    for (let time = 0; time < 2; time += 1)
      expect((await post(`/${body.id}/pause`)).body).toMatchObject({ state: 'paused', eta_seconds: null });
    expect(await jobs()).toEqual([
      { state: 'queued', held: false },
      { state: 'queued', held: true },
    ]);
    expect((await post(`/${body.id}/resume`)).body.state).toBe('running');
    expect((await jobs()).every(({ held }) => !held)).toBe(true);
    for (let time = 0; time < 2; time += 1)
      expect((await post(`/${body.id}/cancel`)).body).toMatchObject({
        state: 'cancelled',
        items: { accepted: 2, cancelled: 1 },
        documents: { cancelled: 1, queued: 1 },
      });
    expect(await blobsLeft()).toHaveLength(2);
    expect(await post(`/${body.id}/resume`)).toMatchObject({
      status: 409,
      body: { code: 'import-cancelled' },
    });
    expect((await call(`/${ready.body.id}`)).body.documents.queued).toBe(1);
    const { rows } = await app.db.owner.query(
      `select action from audit_event where action like 'import.%' order by action`,
    );
    expect(new Set(rows.map(({ action }) => action))).toEqual(
      new Set(['import.create', 'import.pause', 'import.resume', 'import.cancel']),
    );
  });

  it('is for the owner and for managers; others know of nothing', async () => {
    const member = await signedIn(app, 'member');
    const other = await signedIn(app, 'member');
    const manager = await signedIn(app, 'manager');
    const { body } = await send([['mine.txt', 'Mine.']], {}, member);
    for (const path of [`/${body.id}`, `/${body.id}/items`, `/${body.id}/events`, `/${randomUUID()}`])
      expect(await call(path, { headers: other })).toMatchObject({
        status: 404,
        body: { code: 'import-not-found' },
      });
    for (const action of ['pause', 'resume', 'cancel'])
      expect((await post(`/${body.id}/${action}`, other)).status).toBe(404);
    expect((await call<{ items: unknown[] }>('', { headers: other })).body.items).toEqual([]);
    expect((await call<{ items: unknown[] }>('', { headers: member })).body.items).toHaveLength(1);
    expect((await call<{ items: unknown[] }>('', { headers: manager })).body.items).toHaveLength(1);
    expect(await itemsOf(body.id, '', manager)).toMatchObject([{ name: null, state: 'accepted' }]);
    expect(await itemsOf(body.id, '', member)).toMatchObject([{ name: 'mine.txt' }]);
    expect((await post(`/${body.id}/cancel`, manager)).body.documents.cancelled).toBe(1);
    expect((await send([['x.txt', 'x']], { visibility: 'tenant' }, member)).body.code).toBe(
      'sharing-not-allowed',
    );
    expect((await call('', { headers: {} })).status).toBe(401);
  });

  it('keeps what came before a form went wrong, and takes no more than is allowed', async () => {
    const names = ['1.txt', '2.txt', '3.txt', '4.txt'];
    expect(await send(names.map((name) => [name, `File ${name}.`]))).toMatchObject({
      status: 413,
      body: { code: 'too-many-items' },
    });
    const { items } = (await call<{ items: ImportBody[] }>('')).body;
    expect(items).toMatchObject([{ items: { accepted: 3, total: 3 } }]);
    expect((await sendUrls(names.map((name) => `https://example.com/${name}`))).body.code).toBe(
      'too-many-items',
    );
    expect((await sendUrls([])).status).toBe(400);
    expect((await send([], { collection: 'x' })).body.code).toBe('invalid-upload');
    const late = new FormData();
    late.append('file', new File(['Early.'], 'early.txt'));
    late.append('collection', 'late');
    expect((await call('', { method: 'POST', body: late })).status).toBe(400);
  });

  it('makes one import of a request that is sent twice', async () => {
    const headers = { ...app.admin, 'idempotency-key': 'twice' };
    const first = await sendUrls(['https://example.com/a'], headers);
    const second = await sendUrls(['https://example.com/a'], headers);
    expect(second.body.id).toBe(first.body.id);
    await eventually(
      async () => (await call<{ items: unknown[] }>('')).body.items.length,
      (count) => count === 1,
    );
  });
});

it('an import says what it wants when nothing was sent, and how much when it was too much', async () => {
  app = await testApp({ ROLE: 'api', UPLOAD_MAX_BYTES: '2048' });
  expect(await call('', { method: 'POST' })).toMatchObject({
    status: 415,
    body: { code: 'import-expected', detail: expect.stringContaining('"urls"') as string },
  });
  const { body } = await send([['long.txt', 'x'.repeat(3_000)]]);
  const [item] = await itemsOf(body.id);
  expect(item!.reason).toEqual({
    code: 'document-too-large',
    message: 'The document is larger than 2 KB',
  });
});
