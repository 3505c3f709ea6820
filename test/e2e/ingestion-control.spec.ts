import { randomUUID } from 'node:crypto';
import { documentMaker, type Owner } from '../support/documents.js';
import { signedIn } from '../support/operator.js';
import { testApp, type TestApp } from '../support/test-app.js';

type Headers = Record<string, string>;
interface DocumentBody {
  id: string;
  status: string;
  priority: string;
}

async function upload(
  app: TestApp,
  text: string,
  fields: Record<string, string> = {},
): Promise<DocumentBody> {
  const form = new FormData();
  form.append('file', new File([text], 'plan.txt'));
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  const response = await app.fetch('/v1/documents', { method: 'POST', body: form, headers: app.admin });
  return (await response.json()) as DocumentBody;
}

/** A process that takes no jobs, so that everything stays as the test left it. */
describe('the control of the processing', () => {
  let app: TestApp;
  let member: Headers;
  let operator: Headers;
  let stranger: Owner;

  beforeAll(async () => {
    app = await testApp({ ROLE: 'api' });
    member = await signedIn(app, 'member');
    operator = await signedIn(app, 'operator');
    stranger = await app.db.createTenant();
  });
  afterAll(() => app.close());

  async function call<T = { code: string }>(method: string, path: string, headers: Headers, json?: unknown) {
    const response = await app.fetch(path, { method, headers, ...(json !== undefined && { json }) });
    return { status: response.status, body: (await response.json()) as T };
  }

  it('takes a priority with an upload, and changes it', async () => {
    const { id, priority } = await upload(app, 'In a hurry.', { priority: 'high' });
    expect(priority).toBe('high');
    const changed = await call<DocumentBody>('POST', `/v1/documents/${id}/priority`, app.admin, {
      priority: 'low',
    });
    expect(changed).toMatchObject({ status: 200, body: { priority: 'low' } });
    expect((await upload(app, 'No hurry.')).priority).toBe('normal');
  });

  it('cancels what waits, and an upload of the same file starts it again', async () => {
    const { id } = await upload(app, 'Cancel me.');
    expect(await call('POST', `/v1/documents/${id}/cancel`, app.admin)).toMatchObject({
      status: 200,
      body: { status: 'cancelled' },
    });
    expect((await upload(app, 'Cancel me.')).status).toBe('queued');
  });

  it.each([
    ['retry', {}],
    ['retry', { from_stage: 'embed' }],
    ['review', { decision: 'approve' }],
    ['cancel', {}],
    ['priority', { priority: 'high' }],
  ])('knows no document of another tenant: %s', async (action, json) => {
    const id = await documentMaker(app.db).addDocument(stranger);
    for (const unknown of [id, randomUUID()])
      expect(await call('POST', `/v1/documents/${unknown}/${action}`, app.admin, json)).toMatchObject({
        status: 404,
        body: { code: 'document-not-found' },
      });
    const { rows } = await app.db.owner.query(`select state, priority from job where document_id = $1`, [id]);
    expect(rows).toEqual([{ state: 'queued', priority: 0 }]);
  });

  it.each([
    ['review', {}],
    ['review', { decision: 'perhaps' }],
    ['review', { decision: 'reject', reason: 'x'.repeat(501) }],
    ['priority', { priority: 'highest' }],
    ['retry', { from_stage: 'cook' }],
    ['retry', { stage: 'embed' }],
  ])('refuses %s with %j', async (action, json) => {
    const { id } = await upload(app, 'Whatever.');
    expect(await call('POST', `/v1/documents/${id}/${action}`, app.admin, json)).toMatchObject({
      status: 400,
      body: { code: 'validation-failed' },
    });
  });

  it('pauses and resumes a tenant for its administrators, and leaves a trace', async () => {
    const paused = await call<{ paused: { reason: string; by: string } }>(
      'POST',
      '/v1/ingestion/pause',
      app.admin,
      {
        reason: 'a migration',
      },
    );
    expect(paused).toMatchObject({ status: 200, body: { paused: { reason: 'a migration' } } });
    expect(await call('GET', '/v1/ingestion', member)).toMatchObject({
      status: 200,
      body: { paused: { reason: 'a migration' }, running: 0, limits: { max_running: null } },
    });
    expect(await call('POST', '/v1/ingestion/resume', app.admin)).toMatchObject({
      status: 200,
      body: { paused: null },
    });
    const events = await call<{ items: { action: string; outcome: string }[] }>(
      'GET',
      '/v1/audit/events?action=ingestion.pause',
      app.admin,
    );
    expect(events.body.items).toMatchObject([{ action: 'ingestion.pause', outcome: 'success' }]);
  });

  it('lets operators limit and pause everybody', async () => {
    const tenant = `/v1/admin/ingestion/tenants/${stranger.tenantId}/limits`;
    expect(await call('PUT', tenant, operator, { max_running: 2 })).toMatchObject({
      status: 200,
      body: {
        tenants: expect.arrayContaining([
          expect.objectContaining({ tenant_id: stranger.tenantId, max_running: 2 }),
        ]),
      },
    });
    await call('PUT', '/v1/admin/ingestion/limits', operator, { max_running: 7 });
    await call('POST', '/v1/admin/ingestion/pause', operator, { reason: 'the disk is full' });
    expect(await call('GET', '/v1/ingestion', member)).toMatchObject({
      body: {
        paused: { by: null, reason: 'the disk is full' },
        limits: { max_running: null, max_running_installation: 7 },
      },
    });
    await call('POST', '/v1/admin/ingestion/resume', operator);
    await call('PUT', '/v1/admin/ingestion/limits', operator, { max_running: null });
    expect(await call('GET', '/v1/admin/ingestion', operator)).toMatchObject({
      body: { installation: { paused_at: null, max_running: null } },
    });
    expect(
      await call('PUT', `/v1/admin/ingestion/tenants/${randomUUID()}/limits`, operator, { max_running: 2 }),
    ).toMatchObject({ status: 404, body: { code: 'tenant-not-found' } });
    expect((await call('PUT', tenant, operator, { max_running: 0 })).status).toBe(400);
  });

  it.each([
    ['POST', '/v1/ingestion/pause', 'member'],
    ['POST', '/v1/ingestion/resume', 'manager'],
    ['GET', '/v1/ingestion/dead-letters', 'manager'],
    ['POST', '/v1/ingestion/dead-letters/retry', 'manager'],
    ['GET', '/v1/admin/ingestion', 'admin'],
    ['POST', '/v1/admin/ingestion/pause', 'admin'],
    ['PUT', '/v1/admin/ingestion/limits', 'admin'],
  ])('is forbidden to whoever is not entitled to it: %s %s as %s', async (method, path, role) => {
    const json = method === 'GET' ? undefined : {};
    expect((await call(method, path, await signedIn(app, role), json)).status).toBe(403);
    expect((await call(method, path, {}, json)).status).toBe(401);
  });

  it('tries dead letters again once, however often the request is repeated', async () => {
    const { id } = await upload(app, 'A dead letter.');
    await app.db.owner.query(
      `update document set status = 'failed', reason_code = 'corrupt-file' where id = $1`,
      [id],
    );
    await app.db.owner.query(`update job set state = 'failed' where document_id = $1`, [id]);
    const listed = await call<{ items: { document_id: string }[] }>(
      'GET',
      '/v1/ingestion/dead-letters?reason=corrupt-file',
      app.admin,
    );
    expect(listed.body.items).toMatchObject([{ document_id: id, stage: null }]);
    const headers = { ...app.admin, 'idempotency-key': randomUUID() };
    for (let i = 0; i < 2; i++)
      expect(
        await call('POST', '/v1/ingestion/dead-letters/retry', headers, { reason: 'corrupt-file' }),
      ).toMatchObject({
        status: 200,
        body: { retried: 1, remaining: 0 },
      });
    expect(await call('POST', '/v1/ingestion/dead-letters/retry', app.admin, {})).toMatchObject({
      body: { retried: 0 },
    });
  });
});
