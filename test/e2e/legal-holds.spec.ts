import { TenantDb } from '#libs/database';
import { PersonErasure } from '../../apps/api/src/privacy/erasure/person-erasure.js';
import { StepRunner } from '../../apps/api/src/privacy/erasure/step-runner.js';
import { peopleOf } from '../support/people.js';
import { testApp, type TestApp } from '../support/test-app.js';

type Headers = Record<string, string>;

describe('a legal hold, over HTTP', () => {
  let app: TestApp;
  let people: ReturnType<typeof peopleOf>;
  beforeAll(async () => {
    // What is due is run by the tests.
    app = await testApp({ PRIVACY_POLL_MS: '600000' });
    people = peopleOf(app);
  });
  afterAll(() => app?.close());

  const send = (method: string, path: string, headers: Headers = app.admin, json?: unknown) =>
    people.send(method, path, headers, json);
  const place = async (scope: string, subject: string) =>
    (await send('POST', '/v1/audit/holds', app.admin, { scope, subject, reason: 'case 5' })).body;
  const erase = (userId: string) =>
    send('POST', '/v1/privacy/erasures', app.admin, { user_id: userId, shared_documents: 'delete' });
  const REFUSED = { status: 409, body: { code: 'legal-hold' } };

  it('holds whom it names, however his id is written', async () => {
    const { id } = await people.person();
    expect(await place('user', id.toUpperCase())).toMatchObject({ subject: id });
    expect(await erase(id)).toMatchObject(REFUSED);
    const told = await send('GET', `/v1/audit/events?limit=1&target_id=${id}`);
    expect(told.body.items).toMatchObject([{ action: 'privacy.erase', reason: 'legal-hold' }]);
  });

  it('keeps the conversations of whom it holds', async () => {
    const { id, headers } = await people.person();
    const { body } = await send('POST', '/v1/conversations', headers, {});
    await place('user', id);
    expect(await send('DELETE', `/v1/conversations/${body.id}`, headers)).toMatchObject(REFUSED);
    expect((await send('GET', `/v1/conversations/${body.id}`, headers)).status).toBe(200);
  });

  it('is not released by one person and a program of his', async () => {
    const { id } = await people.person();
    const hold = `/v1/audit/holds/${(await place('user', id)).id}`;
    expect((await send('POST', `${hold}/release-request`)).status).toBe(200);
    const account = await send('POST', '/v1/service-accounts', app.admin, { name: 'second', role: 'admin' });
    const key = await send('POST', `/v1/service-accounts/${account.body.id}/keys`, app.admin, {
      name: 'key',
    });
    expect(key.status).toBe(201);
    const program = { authorization: `Bearer ${key.body.key}` };
    expect((await send('GET', '/v1/audit/holds', program)).status).toBe(200);
    for (const step of ['release-request', 'release'])
      expect(await send('POST', `${hold}/${step}`, program)).toMatchObject({
        status: 403,
        body: { code: 'session-required' },
      });
  });

  it('stops an erasure that is under way', async () => {
    const { id, headers } = await people.person();
    const { body: conversation } = await send('POST', '/v1/conversations', headers, {});
    const { body: begun } = await erase(id);
    const erasure = app.program.app.get(PersonErasure);
    const placeHold = {
      name: 'a hold comes',
      work: async () => {
        await app.db.owner.query(
          `insert into legal_hold (tenant_id, id, scope, subject, reason, placed_by)
           select tenant_id, gen_random_uuid(), 'user', $1, 'case 6', $1::uuid from app_user where id = $1::uuid`,
          [id],
        );
        return {};
      },
    };
    const interrupted = Object.assign(Object.create(erasure) as PersonErasure, {
      steps: [placeHold, ...erasure.steps],
    });
    await new StepRunner(app.program.app.get(TenantDb)).runNext(interrupted, new AbortController().signal);
    expect((await send('GET', `/v1/privacy/erasures/${begun.id}`)).body).toMatchObject({ state: 'waiting' });
    const { rows } = await app.db.owner.query('select id from conversation where id = $1', [conversation.id]);
    expect(rows).toHaveLength(1);
  });
});
