import { rm } from 'node:fs/promises';
import type { DocumentBody, PassageBody } from '../../../apps/api/src/ingestion/documents/document.dto.js';
import type { Owner } from '../../support/documents.js';
import { DocumentsWorld } from '../../support/documents-world.js';

let world: DocumentsWorld;
beforeAll(async () => {
  world = await DocumentsWorld.start();
});
afterAll(() => world.close());
beforeEach(() => world.begin());

const titles = async (query: string, as?: Owner) =>
  (await world.get<{ items: DocumentBody[] }>(query, as)).body.items.map((item) => item.title);

describe('the list of documents', () => {
  it('shows the newest first, page by page, each document once', async () => {
    for (let i = 1; i <= 5; i++) await world.upload(`Document ${i}`, { title: `Plan ${i}` });
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const page: { items: DocumentBody[]; next_cursor: string | null } = (
        await world.get<{ items: DocumentBody[]; next_cursor: string | null }>(
          `?limit=2${cursor && `&cursor=${cursor}`}`,
        )
      ).body;
      seen.push(...page.items.map((item) => item.title));
      cursor = page.next_cursor;
    }
    expect(seen).toEqual(['Plan 5', 'Plan 4', 'Plan 3', 'Plan 2', 'Plan 1']);
  });

  it('is filtered by status, collection, tag and part of the title', async () => {
    await world.upload('a', { title: 'Dental 100%', collection: 'health', tags: 'dental,2026' });
    const failed = await world.upload('b', { title: 'Car', collection: 'motor', tags: '2026' });
    await world.db.owner.query(`update document set status = 'failed', reason_code = 'x' where id = $1`, [
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
    await world.upload('a', { title: 'Private' });
    await world.upload('b', { title: 'Shared', visibility: 'tenant' });
    expect(await titles('')).toEqual(['Shared', 'Private']);
    expect(await titles('', world.colleague)).toEqual(['Shared']);
    expect(await titles('', world.stranger)).toEqual([]);
  });

  it('refuses a cursor that it did not give out, and unknown filters', async () => {
    expect((await world.get('?cursor=abc')).body).toMatchObject({ code: 'invalid-cursor' });
    expect((await world.get('?owner=me')).status).toBe(400);
  });
});

describe('a document', () => {
  it('is there for its world.owner, for his tenant when shared, and for nobody else', async () => {
    const own = await world.upload('a');
    const shared = await world.upload('b', { visibility: 'tenant' });
    expect((await world.get(`/${own.id}`)).body).toEqual(own);
    expect((await world.get(`/${own.id}`, world.colleague)).body).toMatchObject({
      code: 'document-not-found',
    });
    expect((await world.get(`/${shared.id}`, world.colleague)).status).toBe(200);
    for (const path of ['', '/content', '/events', '/passages', `/passages/${own.id}`])
      expect((await world.get(`/${shared.id}${path}`, world.stranger)).status).toBe(404);
    expect((await world.call('POST', `/${shared.id}/retry`, world.stranger)).status).toBe(404);
    expect((await world.call('DELETE', `/${shared.id}`, world.stranger)).status).toBe(404);
    expect((await world.get(`/${own.id}`)).status).toBe(200);
  });

  it('gives its file back as it was, as a download that no browser opens', async () => {
    const { id } = await world.upload('<script>alert(1)</script>', { filename: 'Übersicht.html' });
    const { text, headers } = await fetch(`${world.app.url}/v1/documents/${id}/content`, {
      headers: world.app.as(world.owner),
    }).then(async (response) => ({ text: await response.text(), headers: response.headers }));
    expect(text).toBe('<script>alert(1)</script>');
    expect(headers.get('content-length')).toBe('25');
    expect(headers.get('content-disposition')).toMatch(
      /^attachment; .*filename\*=UTF-8''%C3%9Cbersicht.html$/,
    );
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  });

  it('says so when its file is gone', async () => {
    const { id, sha256 } = await world.upload('a');
    await rm(await world.app.blobs.localPath(world.owner.tenantId, Buffer.from(sha256, 'hex')));
    expect((await world.get(`/${id}/content`)).body).toMatchObject({
      code: 'content-missing',
      retryable: true,
    });
  });
});

describe('the passages of a document', () => {
  it('are listed in reading order, page by page, once it is answerable', async () => {
    const { id } = await world.upload('a');
    expect((await world.get(`/${id}/passages`)).body).toEqual({ items: [], next_cursor: null });

    await world.structure(id, ['First.', 'Second.', 'Third.']);
    const first = await world.get<{ items: PassageBody[]; next_cursor: string }>(`/${id}/passages?limit=2`);
    const second = await world.get<{ items: PassageBody[]; next_cursor: null }>(
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
    const { id } = await world.upload('a');
    await world.structure(id, ['The deductible is $500.']);
    const [passage] = (await world.get<{ items: PassageBody[] }>(`/${id}/passages`)).body.items;
    expect((await world.get<PassageBody>(`/${id}/passages/${passage!.id}`)).body).toEqual({
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
    expect((await world.get(`/${id}/passages/${id}`)).body).toMatchObject({ code: 'passage-not-found' });
  });
});

describe('a retry', () => {
  it('puts a failed document back into the queue', async () => {
    const { id } = await world.upload('a');
    await world.db.owner.query(
      `update document set status = 'failed', reason_code = 'parse-timeout' where id = $1`,
      [id],
    );
    await world.db.owner.query(`update job set state = 'failed' where document_id = $1`, [id]);
    const { status, body } = await world.call('POST', `/${id}/retry`);
    expect(status).toBe(202);
    expect(body).toMatchObject({ status: 'queued', reason: null });
    expect((await world.db.owner.query('select state from job')).rows).toEqual([{ state: 'queued' }]);
  });

  it('is refused for a document that has not failed', async () => {
    const { id } = await world.upload('a');
    expect(await world.call('POST', `/${id}/retry`)).toMatchObject({
      status: 409,
      body: { code: 'document-busy', document_status: 'queued' },
    });
  });
});
