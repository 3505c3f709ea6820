import { randomUUID } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { loadConfig } from '#libs/config';
import { TenantDb } from '#libs/database';
import { sections } from '../../apps/api/src/app.config.js';
import { verifyAudit } from '../../apps/api/src/audit-verify.js';
import { PersonErasure } from '../../apps/api/src/privacy/erasure/person-erasure.js';
import { StepRunner } from '../../apps/api/src/privacy/erasure/step-runner.js';
import { RetentionSweep } from '../../apps/api/src/privacy/retention/retention-sweep.js';
import { TenantErasure } from '../../apps/api/src/privacy/tenants/tenant-erasure.js';
import { runThroughKills } from '../support/dying-work.js';
import { mailTo } from '../support/mail-folder.js';
import { eventually, signedIn } from '../support/operator.js';
import { PASSWORD, peopleOf } from '../support/people.js';
import { testApp, type TestApp } from '../support/test-app.js';
import { tracesOf } from '../support/traces.js';

type Headers = Record<string, string>;
const DAY = `interval '1 day'`;

describe('what goes for good', () => {
  let app: TestApp;
  let people: ReturnType<typeof peopleOf>;
  let operator: Headers;
  beforeAll(async () => {
    // What is due is run by the tests.
    app = await testApp({
      MAIL_POLL_MS: '50',
      PRIVACY_POLL_MS: '600000',
      AUDIT_CHECKPOINT_MS: '1000',
      AUTH_NETWORK_LOGINS_PER_MINUTE: '1000',
    });
    people = peopleOf(app);
    operator = await signedIn(app, 'operator');
  }, 60_000);
  afterAll(() => app?.close());

  const send = (method: string, path: string, headers: Headers = app.admin, json?: unknown) =>
    people.send(method, path, headers, json);
  const rowsOf = async (sql: string, values: unknown[]) => (await app.db.owner.query(sql, values)).rows;

  async function upload(headers: Headers, text: string, fields: Headers = {}): Promise<string> {
    const form = new FormData();
    for (const [field, value] of Object.entries(fields)) form.append(field, value);
    form.append('file', new File([text], 'plan.txt'));
    const response = await app.fetch('/v1/documents', { method: 'POST', body: form, headers });
    const { id } = (await response.json()) as { id: string };
    await (await app.fetch(`/v1/documents/${id}/events`, { headers })).text();
    return id;
  }

  async function ask(headers: Headers, question: string) {
    const { body } = await send('POST', '/v1/conversations', headers, {});
    return send('POST', `/v1/conversations/${body.id}/questions`, headers, { question });
  }

  async function filesIn(folder: string): Promise<number> {
    const entries = await readdir(join(app.dataDir, folder), { recursive: true, withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).length;
  }

  async function newTenant() {
    const name = `walnut-${randomUUID()}`;
    const email = `${randomUUID()}@example.com`;
    const { body } = await send('POST', '/v1/tenants', operator, { name, admin_email: email });
    const { token } = await mailTo(app, email, name);
    await send('POST', '/v1/auth/invitations/accept', {}, { token, password: PASSWORD });
    return { id: body.id as string, name, email, ...(await people.session(email)) };
  }

  /** What whoever has the database, the anchors and the key finds. */
  const verify = () =>
    verifyAudit(
      { anchors: [], keys: [] },
      loadConfig(sections, { DATABASE_URL: app.db.url, DATA_DIR: app.dataDir }),
    );

  it('erases a person exactly once, in whatever transaction each worker is killed', async () => {
    const ada = await people.person();
    for (const what of ['glasses', 'crowns', 'hearing aids'])
      await upload(ada.headers, `It pays for ${what}.`);
    await ask(ada.headers, 'Does it pay for glasses?');
    const [{ passages }] = await rowsOf('select count(*)::int as passages from passage', []);
    const { body } = await send('POST', '/v1/privacy/erasures', app.admin, {
      user_id: ada.id,
      shared_documents: 'delete',
    });
    const killed = await runThroughKills(app, app.program.app.get(PersonErasure));
    expect(killed).toBeGreaterThan(20);
    const { body: receipt } = await send('GET', `/v1/privacy/erasures/${body.id}`);
    const counts = {
      app_user: 1,
      conversation: 1,
      document: 3,
      'file (released)': 3,
      job: 3,
      passage: passages,
    };
    expect(receipt).toMatchObject({ state: 'done', counts });
    expect((await tracesOf(app, [ada.id])).filter((place) => !/^audit[_-]/.test(place))).toEqual([]);
    expect(await filesIn('blobs')).toBe(0);
    const told = await rowsOf(`select detail from audit_event where action = 'privacy.erased'`, []);
    expect(told).toEqual([{ detail: { counts: receipt.counts } }]);
  }, 60_000);

  it('leaves no copy that was asked for while somebody was being erased', async () => {
    const ada = await people.person();
    await send('POST', '/v1/privacy/erasures', app.admin, { user_id: ada.id, shared_documents: 'delete' });
    const erasure = app.program.app.get(PersonErasure);
    const ask = {
      name: 'somebody asks for a copy',
      work: () => send('POST', '/v1/privacy/exports', app.admin, { of: 'tenant' }).then(() => ({})),
    };
    const at = erasure.steps.findIndex(({ name }) => name === 'account');
    const disturbed = Object.assign(Object.create(erasure) as PersonErasure, {
      steps: erasure.steps.toSpliced(at, 0, ask),
    });
    await new StepRunner(app.program.app.get(TenantDb)).runNext(disturbed, new AbortController().signal);
    expect(await rowsOf('select state from erasure where requested_by is not null', [])).toContainEqual({
      state: 'done',
    });
    expect(await rowsOf('select id from export_job', [])).toEqual([]);
  });

  it('lets an erasure wait for a legal hold that came in its days of grace, and be cancelled', async () => {
    const ada = await people.person();
    const request = { user_id: ada.id, shared_documents: 'delete', grace_days: 1 };
    const { body } = await send('POST', '/v1/privacy/erasures', app.admin, request);
    const hold = { scope: 'user', subject: ada.id, reason: 'case 18' };
    expect((await send('POST', '/v1/audit/holds', app.admin, hold)).status).toBe(201);
    await app.db.owner.query('update erasure set run_at = now() where id = $1', [body.id]);
    const runner = new StepRunner(app.program.app.get(TenantDb));
    const { signal } = new AbortController();
    expect(await runner.runNext(app.program.app.get(PersonErasure), signal)).toBe(true);
    expect(await runner.runNext(app.program.app.get(PersonErasure), signal)).toBe(false);
    const path = `/v1/privacy/erasures/${body.id}`;
    expect((await send('GET', path)).body).toMatchObject({ state: 'waiting', counts: {}, user_id: ada.id });
    expect((await send('POST', `${path}/cancel`)).body.state).toBe('cancelled');
    expect((await people.login(ada.email)).status).toBe(200);
  });

  it('deletes a tenant with all that is in it, except the evidence of it, whoever is killed over it', async () => {
    const tenant = await newTenant();
    const doc = await upload(tenant.headers, `The ${tenant.name} plan pays 19 dollars for glasses.`);
    await ask(tenant.headers, 'What does the plan pay for glasses?');
    await send('POST', '/v1/groups', tenant.headers, { name: 'claims' });
    const path = `/v1/tenants/${tenant.id}`;
    const wrong = `${path}?name=another`;
    const right = `${path}?name=${tenant.name}`;

    expect((await send('DELETE', right, tenant.headers)).status).toBe(403);
    expect((await send('DELETE', wrong, operator)).body.code).toBe('tenant-name-mismatch');
    expect(await send('DELETE', right, operator)).toMatchObject({ status: 202, body: { state: 'waiting' } });
    expect(await people.me(tenant.headers)).toBe(401);
    expect((await send('POST', `${path}/resume`, operator)).body.code).toBe('tenant-being-deleted');
    expect((await send('POST', `${path}/deletion/cancel`, operator)).body.state).toBe('cancelled');
    expect(await people.me(tenant.headers)).toBe(200);

    expect((await send('DELETE', `${right}&grace_days=0`, operator)).status).toBe(202);
    const [{ events }] = await rowsOf(
      'select count(*)::int as events from audit_event where tenant_id = $1',
      [tenant.id],
    );
    expect(await runThroughKills(app, app.program.app.get(TenantErasure), 3)).toBeGreaterThan(10);

    const { body: receipt } = await send('GET', `${path}/deletion`, operator);
    expect(receipt).toMatchObject({
      state: 'done',
      counts: { tenant: 1, app_user: 1, document: 1, turn: 1 },
    });
    expect(await tracesOf(app, [tenant.name, tenant.email, doc])).toEqual(
      expect.not.arrayContaining([expect.not.stringMatching(/^audit[_-]/)]),
    );
    const left = await tracesOf(app, [tenant.id]);
    expect(left.filter((place) => !/^audit[_-]|^tenant_deletion$/.test(place))).toEqual([]);
    const kept = await rowsOf('select count(*)::int as events from audit_event where tenant_id = $1', [
      tenant.id,
    ]);
    expect(kept).toEqual([{ events }]);
    const told = await send('GET', '/v1/audit/events?scope=installation&action=privacy.erased', operator);
    expect(told.body.items).toMatchObject([{ detail: { counts: receipt.counts } }]);
    const verdict = await eventually(verify, ({ status }) => status === 'clean');
    expect(verdict.findings).toEqual([]);
    // Its log must not become that of somebody else.
    const again = { name: tenant.name, admin_email: tenant.email };
    expect((await send('POST', '/v1/tenants', operator, again)).body.code).toBe('tenant-exists');
    expect((await send('GET', path, operator)).status).toBe(404);
  }, 60_000);

  it('deletes documents by their age, that of their collection first, but none that is held', async () => {
    const tenant = await newTenant();
    const { headers } = tenant;
    const [old, young, claims, held] = [
      await upload(headers, 'One.'),
      await upload(headers, 'Two.'),
      await upload(headers, 'Three.', { collection: 'claims' }),
      await upload(headers, 'Four.', { collection: 'case' }),
    ];
    const age = (id: string, days: number) =>
      app.db.owner.query(`update document set created_at = now() - $2 * ${DAY} where id = $1`, [id, days]);
    for (const [id, days] of [
      [old, 101],
      [young, 75],
      [claims, 101],
      [held, 500],
    ] as const)
      await age(id, days);
    const hold = { scope: 'collection', subject: 'case', reason: 'case 17' };
    expect((await send('POST', '/v1/audit/holds', headers, hold)).status).toBe(201);
    const settings = { document_retention_days: 100, collection_retention_days: { claims: 365 } };
    expect((await send('PATCH', '/v1/tenant/settings', headers, settings)).body.settings).toEqual(settings);

    const preview = async (days: number) =>
      (await send('GET', `/v1/privacy/retention?within_days=${days}`, headers)).body.items.map(
        (item: { document_id: string; held: boolean }) => [item.document_id, item.held],
      );
    expect(await preview(0)).toEqual([
      [held, true],
      [old, false],
    ]);
    expect(await preview(30)).toEqual([
      [held, true],
      [old, false],
      [young, false],
    ]);
    const first = (await send('GET', '/v1/privacy/retention?limit=1', headers)).body;
    const second = await send('GET', `/v1/privacy/retention?limit=1&cursor=${first.next_cursor}`, headers);
    expect(second.body.items).toMatchObject([{ document_id: old }]);
    const forged = Buffer.from(JSON.stringify(['long ago', old])).toString('base64url');
    expect((await send('GET', `/v1/privacy/retention?cursor=${forged}`, headers)).status).toBe(400);

    const sweep = app.program.app.get(RetentionSweep);
    const files = await filesIn('blobs');
    expect(await sweep.sweep(new AbortController().signal)).toBe(1);
    expect(await filesIn('blobs')).toBe(files - 1);
    const left = await rowsOf('select id from document where tenant_id = $1 order by id', [tenant.id]);
    expect(left.map(({ id }) => id)).toEqual([young, claims, held].sort());
    const told = await send('GET', '/v1/audit/events?action=privacy.expired', headers);
    expect(told.body.items).toMatchObject([
      { actor: { type: 'system' }, targets: [{ type: 'document', id: old }] },
    ]);
    const refused = { status: 409, body: { code: 'legal-hold' } };
    expect(await send('DELETE', `/v1/tenants/${tenant.id}?name=${tenant.name}`, operator)).toMatchObject(
      refused,
    );
  }, 60_000);
});
