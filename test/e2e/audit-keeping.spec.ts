import { randomUUID } from 'node:crypto';
import { PersonalData } from '#libs/audit';
import { SealingKey } from '#libs/secrets';
import { peopleOf } from '../support/people.js';
import { testApp, type TestApp } from '../support/test-app.js';

interface Event {
  id: string;
  outcome: string;
  personal: { field: string; state: string; value: string | null }[];
}

describe('keeping the audit log, over HTTP', () => {
  let app: TestApp;
  let people: ReturnType<typeof peopleOf>;
  let tenantId: string;

  beforeAll(async () => {
    app = await testApp();
    people = peopleOf(app);
    tenantId = (await people.send('GET', '/v1/me', app.admin)).body.tenant.id as string;
  });
  afterAll(() => app?.close());

  const newest = async (query: string): Promise<Event> =>
    (await people.send('GET', `/v1/audit/events?limit=1&${query}`, app.admin)).body.items[0];
  const told = ({ personal }: Event) =>
    Object.fromEntries(personal.map(({ field, state, value }) => [field, state === 'shown' ? value : state]));

  it('shows from where somebody logged in, and what address was typed, until it is erased', async () => {
    const agent = { 'user-agent': 'tests/1 (nobody)' };
    const { id, email } = await people.person();
    for (const password of ['wrong', undefined])
      await people.send('POST', '/v1/auth/login', agent, {
        email,
        password: password ?? 'eleven purple tractors',
      });
    const [failed, succeeded] = [
      await newest(`action=auth.login&outcome=denied&target_id=${id}`),
      await newest(`action=auth.login&actor_id=${id}`),
    ];
    const shown = { client_address: '127.0.0.1', login_email: email, user_agent: 'tests/1 (nobody)' };
    expect(told(failed)).toEqual(shown);
    expect(told(succeeded)).toEqual(shown);

    const { rows } = await app.db.owner.query(
      `select string_agg(convert_from(body, 'UTF8'), '') as log from audit_event`,
    );
    for (const value of [email, '127.0.0.1', 'tests/1']) expect(rows[0].log).not.toContain(value);

    const personal = new PersonalData(await SealingKey.loadOrCreate(app.dataDir));
    const erased = await app.db.tenantDb.run(tenantId, (tx) => personal.erase(tx, tenantId, id));
    expect(erased.commitments).toBeGreaterThanOrEqual(3);
    for (const event of [failed, succeeded])
      expect(told((await people.send('GET', `/v1/audit/events/${event.id}`, app.admin)).body)).toEqual({
        client_address: 'erased',
        login_email: 'erased',
        user_agent: 'erased',
      });
    expect(told(await newest(`action=audit.read`))).toMatchObject({ client_address: '127.0.0.1' });
  });

  it('needs two to release a legal hold, which forbids to erase until then', async () => {
    const { id } = await people.person();
    const placed = await people.send('POST', '/v1/audit/holds', app.admin, {
      scope: 'user',
      subject: id,
      reason: 'case 7',
    });
    expect([placed.status, placed.body]).toMatchObject([
      201,
      { scope: 'user', subject: id, released_by: null },
    ]);
    const hold = `/v1/audit/holds/${placed.body.id}`;
    const personal = new PersonalData(await SealingKey.loadOrCreate(app.dataDir));
    const erasing = () => app.db.tenantDb.run(tenantId, (tx) => personal.erase(tx, tenantId, id));
    await expect(erasing()).rejects.toMatchObject({ code: 'legal-hold', kind: 'conflict' });

    const colleague = await people.person('admin');
    const codeOf = async (headers: Record<string, string>, path: string) =>
      (await people.send('POST', path, headers)).body.code;
    expect(await codeOf(colleague.headers, `${hold}/release`)).toBe('legal-hold-release-not-asked');
    expect((await people.send('POST', `${hold}/release-request`, app.admin)).status).toBe(200);
    expect(await codeOf(app.admin, `${hold}/release`)).toBe('legal-hold-needs-another');
    const { headers } = await people.person('manager');
    expect(await codeOf(headers, `${hold}/release`)).toBe('forbidden');
    expect(await people.send('POST', `${hold}/release`, colleague.headers)).toMatchObject({
      status: 200,
      body: { released_by: colleague.id },
    });
    expect(await codeOf(colleague.headers, `${hold}/release`)).toBe('legal-hold-not-found');
    await expect(erasing()).resolves.toHaveProperty('commitments');
    const list = await people.send('GET', '/v1/audit/holds', app.admin);
    expect(list.body.items).toMatchObject([{ id: placed.body.id, released_by: colleague.id }]);
    expect(await newest('action=audit.hold.release&outcome=success')).toMatchObject({
      targets: [{ type: 'legal-hold' }, { type: 'user', id }],
    });
  });

  it('keeps the log for as long as the tenant says, a month at least', async () => {
    const set = (days: unknown) =>
      people.send('PATCH', '/v1/tenant/settings', app.admin, { audit_retention_days: days });
    expect((await set(29)).status).toBe(400);
    expect((await set(3_651)).status).toBe(400);
    expect((await set(30)).status).toBe(200);
    expect(await people.send('GET', '/v1/audit/retention', app.admin)).toMatchObject({
      status: 200,
      body: { items: [] },
    });
    expect((await set(null)).status).toBe(200);
  });

  it.each([
    { scope: 'tenant', subject: randomUUID(), reason: 'x' },
    { scope: 'user', subject: 'me', reason: 'x' },
    { scope: 'document', reason: 'x' },
    { scope: 'tenant', reason: ' ' },
  ])('refuses the hold %j', async (body) => {
    expect((await people.send('POST', '/v1/audit/holds', app.admin, body)).status).toBe(400);
  });
});
