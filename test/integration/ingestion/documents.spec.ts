import { rm } from 'node:fs/promises';
import type { DocumentBody, PassageBody } from '../../../apps/api/src/ingestion/documents/document.dto.js';
import { DocumentStore } from '../../../apps/api/src/ingestion/documents/document.store.js';
import { DocumentsController } from '../../../apps/api/src/ingestion/documents/documents.controller.js';
import { ProcessingController } from '../../../apps/api/src/ingestion/documents/processing.controller.js';
import { notifyDocumentChanged } from '../../../apps/api/src/ingestion/jobs/notifications.js';
import { UploadService } from '../../../apps/api/src/ingestion/uploads/upload.service.js';
import { UploadsController } from '../../../apps/api/src/ingestion/uploads/uploads.controller.js';
import { PassageStore } from '../../../apps/api/src/rag/index.js';
import type { Owner } from '../../support/documents.js';
import { readEvents, type ReceivedEvent } from '../../support/event-reader.js';
import { documentProviders, ingestionApp, type IngestionApp } from '../../support/ingestion-app.js';
import { testDatabase, type TestDatabase } from '../../support/test-database.js';

let db: TestDatabase;
let app: IngestionApp;
let owner: Owner;
let colleague: Owner;
let stranger: Owner;
const documents = new DocumentStore();

beforeAll(async () => {
  db = await testDatabase();
  app = await ingestionApp(db, {
    controllers: [UploadsController, DocumentsController, ProcessingController],
    providers: [UploadService, ...documentProviders],
  });
});
afterAll(async () => {
  await app.close();
  await db.close();
});
beforeEach(async () => {
  await db.owner.query('delete from document');
  await app.removeFiles();
  owner = await db.createTenant();
  stranger = await db.createTenant();
  colleague = { tenantId: owner.tenantId, userId: stranger.userId };
  await db.owner.query(
    `insert into app_user (tenant_id, id, email, password_hash, role) values ($1, $2, $3, 'none', 'member')`,
    [owner.tenantId, colleague.userId, `${owner.tenantId}@example.com`],
  );
});

async function call<T = DocumentBody>(
  method: string,
  path: string,
  as: Owner = owner,
  role: 'member' | 'manager' = 'member',
) {
  const response = await fetch(`${app.url}/v1/documents${path}`, { method, headers: app.as(as, role) });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: (text ? JSON.parse(text) : null) as T,
  };
}
const get = <T = DocumentBody>(path: string, as?: Owner) => call<T>('GET', path, as);

async function upload(
  text: string,
  fields: Record<string, string> = {},
  as: Owner = owner,
): Promise<DocumentBody> {
  const body = new FormData();
  body.append('file', new Blob([text]), fields.filename ?? 'plan.txt');
  for (const [name, value] of Object.entries(fields)) if (name !== 'filename') body.append(name, value);
  const headers = app.as(as, 'manager');
  return (await (
    await fetch(`${app.url}/v1/documents`, { method: 'POST', body, headers })
  ).json()) as DocumentBody;
}

const titles = async (query: string, as?: Owner) =>
  (await get<{ items: DocumentBody[] }>(query, as)).body.items.map((item) => item.title);

/** As the stages of a worker would. */
async function change(
  id: string,
  work: (tx: Parameters<DocumentStore['find']>[0]) => Promise<unknown>,
): Promise<void> {
  await db.tenantDb.run(owner.tenantId, async (tx) => {
    await work(tx);
    await notifyDocumentChanged(tx, id);
  });
}

async function structure(id: string, texts: string[]): Promise<void> {
  const passages = texts.map((text, ordinal) => ({
    ordinal,
    kind: 'prose' as const,
    text,
    headingPath: ['Benefits'],
    page: 1,
    box: null,
    row: null,
  }));
  await change(id, async (tx) => {
    const key = { tenantId: owner.tenantId, documentId: id, generation: 1 };
    await app.app.get(PassageStore).replaceGeneration(tx, key, passages);
    await documents.change(tx, id, {
      lexical: { generation: 1, pageCount: 1, passageCount: texts.length },
    });
  });
}

describe('the list of documents', () => {
  it('shows the newest first, page by page, each document once', async () => {
    for (let i = 1; i <= 5; i++) await upload(`Document ${i}`, { title: `Plan ${i}` });
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const page: { items: DocumentBody[]; next_cursor: string | null } = (
        await get<{ items: DocumentBody[]; next_cursor: string | null }>(
          `?limit=2${cursor && `&cursor=${cursor}`}`,
        )
      ).body;
      seen.push(...page.items.map((item) => item.title));
      cursor = page.next_cursor;
    }
    expect(seen).toEqual(['Plan 5', 'Plan 4', 'Plan 3', 'Plan 2', 'Plan 1']);
  });

  it('is filtered by status, collection, tag and part of the title', async () => {
    await upload('a', { title: 'Dental 100%', collection: 'health', tags: 'dental,2026' });
    const failed = await upload('b', { title: 'Car', collection: 'motor', tags: '2026' });
    await db.owner.query(`update document set status = 'failed', reason_code = 'x' where id = $1`, [
      failed.id,
    ]);
    expect(await titles('?status=failed')).toEqual(['Car']);
    expect(await titles('?collection=health')).toEqual(['Dental 100%']);
    expect(await titles('?tag=2026')).toEqual(['Car', 'Dental 100%']);
    expect(await titles('?tag=202')).toEqual([]);
    expect(await titles('?q=dENTAL')).toEqual(['Dental 100%']);
    expect(await titles(`?q=${encodeURIComponent('%')}`)).toEqual(['Dental 100%']);
    expect(await titles('?q=_')).toEqual([]);
  });

  it('shows a member his own documents and those that are shared, and nothing of another tenant', async () => {
    await upload('a', { title: 'Private' });
    await upload('b', { title: 'Shared', visibility: 'tenant' });
    expect(await titles('')).toEqual(['Shared', 'Private']);
    expect(await titles('', colleague)).toEqual(['Shared']);
    expect(await titles('', stranger)).toEqual([]);
  });

  it('refuses a cursor that it did not give out, and unknown filters', async () => {
    expect((await get('?cursor=abc')).body).toMatchObject({ code: 'invalid-cursor' });
    expect((await get('?owner=me')).status).toBe(400);
  });
});

describe('a document', () => {
  it('is there for its owner, for his tenant when shared, and for nobody else', async () => {
    const own = await upload('a');
    const shared = await upload('b', { visibility: 'tenant' });
    expect((await get(`/${own.id}`)).body).toEqual(own);
    expect((await get(`/${own.id}`, colleague)).body).toMatchObject({ code: 'document-not-found' });
    expect((await get(`/${shared.id}`, colleague)).status).toBe(200);
    for (const path of ['', '/content', '/events', '/passages', `/passages/${own.id}`])
      expect((await get(`/${shared.id}${path}`, stranger)).status).toBe(404);
    expect((await call('POST', `/${shared.id}/retry`, stranger)).status).toBe(404);
    expect((await call('DELETE', `/${shared.id}`, stranger)).status).toBe(404);
    expect((await get(`/${own.id}`)).status).toBe(200);
  });

  it('gives its file back as it was, as a download that no browser opens', async () => {
    const { id } = await upload('<script>alert(1)</script>', { filename: 'Übersicht.html' });
    const { text, headers } = await fetch(`${app.url}/v1/documents/${id}/content`, {
      headers: app.as(owner),
    }).then(async (response) => ({ text: await response.text(), headers: response.headers }));
    expect(text).toBe('<script>alert(1)</script>');
    expect(headers.get('content-length')).toBe('25');
    expect(headers.get('content-disposition')).toMatch(
      /^attachment; .*filename\*=UTF-8''%C3%9Cbersicht.html$/,
    );
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  });

  it('says so when its file is gone', async () => {
    const { id, sha256 } = await upload('a');
    await rm(await app.blobs.localPath(owner.tenantId, Buffer.from(sha256, 'hex')));
    expect((await get(`/${id}/content`)).body).toMatchObject({ code: 'content-missing', retryable: true });
  });
});

describe('the passages of a document', () => {
  it('are listed in reading order, page by page, once it is answerable', async () => {
    const { id } = await upload('a');
    expect((await get(`/${id}/passages`)).body).toEqual({ items: [], next_cursor: null });

    await structure(id, ['First.', 'Second.', 'Third.']);
    const first = await get<{ items: PassageBody[]; next_cursor: string }>(`/${id}/passages?limit=2`);
    const second = await get<{ items: PassageBody[]; next_cursor: null }>(
      `/${id}/passages?limit=2&cursor=${first.body.next_cursor}`,
    );
    expect([...first.body.items, ...second.body.items].map((passage) => passage.text)).toEqual([
      'First.',
      'Second.',
      'Third.',
    ]);
    expect(second.body.next_cursor).toBeNull();
  });

  it('can be read one by one, to check a quote', async () => {
    const { id } = await upload('a');
    await structure(id, ['The deductible is $500.']);
    const [passage] = (await get<{ items: PassageBody[] }>(`/${id}/passages`)).body.items;
    expect((await get<PassageBody>(`/${id}/passages/${passage!.id}`)).body).toEqual({
      id: passage!.id,
      document_id: id,
      ordinal: 0,
      kind: 'prose',
      text: 'The deductible is $500.',
      heading_path: ['Benefits'],
      page: 1,
      box: null,
      start_ms: null,
      end_ms: null,
      time_label: null,
    });
    expect((await get(`/${id}/passages/${id}`)).body).toMatchObject({ code: 'passage-not-found' });
  });
});

describe('a retry', () => {
  it('puts a failed document back into the queue', async () => {
    const { id } = await upload('a');
    await db.owner.query(
      `update document set status = 'failed', reason_code = 'parse-timeout' where id = $1`,
      [id],
    );
    await db.owner.query(`update job set state = 'failed' where document_id = $1`, [id]);
    const { status, body } = await call('POST', `/${id}/retry`);
    expect(status).toBe(202);
    expect(body).toMatchObject({ status: 'queued', reason: null });
    expect((await db.owner.query('select state from job')).rows).toEqual([{ state: 'queued' }]);
  });

  it('is refused for a document that has not failed', async () => {
    const { id } = await upload('a');
    expect(await call('POST', `/${id}/retry`)).toMatchObject({
      status: 409,
      body: { code: 'document-busy', document_status: 'queued' },
    });
  });
});

describe('deleting a document', () => {
  it('removes it with its passages, its job and its file', async () => {
    const { id } = await upload('a');
    await structure(id, ['First.']);
    expect(await call('DELETE', `/${id}`)).toMatchObject({ status: 204, text: '' });
    expect((await get(`/${id}`)).status).toBe(404);
    for (const table of ['document', 'job', 'job_stage', 'passage'])
      expect(
        (await db.owner.query(`select from ${table} where tenant_id = $1`, [owner.tenantId])).rowCount,
      ).toBe(0);
    expect(await app.filesLeft()).toEqual([]);
    expect((await call('DELETE', `/${id}`)).status).toBe(404);
  });

  it('leaves the file to another document that has the same content', async () => {
    const mine = await upload('same');
    const theirs = await upload('same', {}, colleague);
    await call('DELETE', `/${mine.id}`);
    expect(await app.filesLeft()).toHaveLength(1);
    await call('DELETE', `/${theirs.id}`, colleague);
    expect(await app.filesLeft()).toEqual([]);
  });

  it('of somebody else that is shared is for managers', async () => {
    const { id } = await upload('a', { visibility: 'tenant' });
    expect((await call('DELETE', `/${id}`, colleague, 'member')).body).toMatchObject({
      code: 'not-your-document',
    });
    expect((await call('DELETE', `/${id}`, colleague, 'manager')).status).toBe(204);
  });

  it('lets the same file be uploaded again, from the beginning', async () => {
    const first = await upload('a', { title: 'First' });
    await structure(first.id, ['First.']);
    await call('DELETE', `/${first.id}`);
    const again = await upload('a', { title: 'Second' });
    expect(again).toMatchObject({
      id: first.id,
      title: 'Second',
      status: 'queued',
      answerable: 'none',
      percent: 0,
    });
  });

  it('and uploading the same file at the same time never leaves a document without its file', async () => {
    const { id } = await upload('contended');
    for (let i = 0; i < 10; i++) {
      const [uploaded] = await Promise.all([upload('contended'), call('DELETE', `/${id}`)]);
      expect(uploaded.id).toBe(id);
      const { status } = await get(`/${id}`);
      expect(await app.filesLeft()).toHaveLength(status === 200 ? 1 : 0);
      if (status === 404) await upload('contended');
    }
  });
});

describe('the events of a document', () => {
  async function watch(id: string, as: Owner = owner) {
    const response = await fetch(`${app.url}/v1/documents/${id}/events`, { headers: app.as(as) });
    const events = readEvents(response);
    const until = async (name: string, matches = (_: ReceivedEvent) => true) => {
      const seen: ReceivedEvent[] = [];
      for (let next = await events.next(); !next.done; next = await events.next()) {
        seen.push(next.value);
        if (next.value.event === name && matches(next.value)) return seen;
      }
      throw new Error(`The stream ended before ${name}`);
    };
    return { response, until, end: async () => (await events.next()).done };
  }

  it('begin with its state, tell what changes, and end when it is ready', async () => {
    const { id } = await upload('a');
    const { response, until, end } = await watch(id);
    expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/);
    const first = await until('status');
    expect(first.map((event) => event.event)).toEqual([
      ...Array.from({ length: 6 }, () => 'stage'),
      'progress',
      'status',
    ]);
    expect(first.map((event) => event.id)).toEqual(['1', '2', '3', '4', '5', '6', '7', '8']);

    await change(id, (tx) => documents.change(tx, id, { status: 'processing' }));
    expect((await until('status')).at(-1)!.data).toEqual({ status: 'processing', answerable: 'none' });
    await structure(id, ['First.']);
    expect((await until('status')).at(-1)!.data).toEqual({ status: 'processing', answerable: 'lexical' });
    await change(id, (tx) => documents.change(tx, id, { status: 'ready' }));
    expect((await until('done')).at(-1)!.data).toMatchObject({ id, status: 'ready', passages: 1 });
    expect(await end()).toBe(true);
  });

  it('end with the reason when it has failed', async () => {
    const { id } = await upload('a');
    const { until, end } = await watch(id);
    await until('status');
    await change(id, (tx) =>
      documents.setFailed(tx, id, { code: 'corrupt-file', message: 'The file is damaged.' }),
    );
    expect((await until('error')).at(-1)!.data).toEqual({
      code: 'corrupt-file',
      message: 'The file is damaged.',
      retryable: false,
    });
    expect(await end()).toBe(true);
  });

  it('end with an error when it is deleted', async () => {
    const { id } = await upload('a');
    const { until, end } = await watch(id);
    await until('status');
    await call('DELETE', `/${id}`);
    expect((await until('error')).at(-1)!.data).toMatchObject({ code: 'document-not-found' });
    expect(await end()).toBe(true);
  });

  it('of a document that is ready are its state and the end', async () => {
    const { id } = await upload('a');
    await change(id, (tx) => documents.change(tx, id, { status: 'ready' }));
    const { until, end } = await watch(id);
    expect((await until('done')).at(-1)!.data).toMatchObject({ status: 'ready' });
    expect(await end()).toBe(true);
  });
});
