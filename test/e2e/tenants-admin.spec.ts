import { randomUUID } from 'node:crypto';
import { eventually, signedIn } from '../support/operator.js';
import { mailTo } from '../support/mail-folder.js';
import { bearer, PASSWORD, peopleOf } from '../support/people.js';
import { ADMIN, testApp, type TestApp } from '../support/test-app.js';

interface User {
  id: string;
  email: string;
  role: string;
  suspended_at: string | null;
}

describe('tenants and their users over HTTP', () => {
  let app: TestApp;
  let operator: Record<string, string>;
  let people: ReturnType<typeof peopleOf>;
  beforeAll(async () => {
    app = await testApp({ MAIL_POLL_MS: '50', AUTH_NETWORK_LOGINS_PER_MINUTE: '1000' });
    people = peopleOf(app);
    operator = await signedIn(app, 'operator');
  });
  afterAll(() => app?.close());

  const users = async (headers: Record<string, string>) =>
    (await people.send('GET', '/v1/users?limit=100', headers)).body.items as User[];

  /** A tenant of its own, whose administrator has accepted his invitation. */
  async function newTenant() {
    const name = `t-${randomUUID()}`;
    const email = `${randomUUID()}@example.com`;
    const made = await people.send('POST', '/v1/tenants', operator, { name, admin_email: email });
    expect(made).toMatchObject({ status: 201, body: { name, suspended_at: null, settings: {} } });
    const { token } = await mailTo(app, email, name);
    const accepted = await people.send(
      'POST',
      '/v1/auth/invitations/accept',
      {},
      { token, password: PASSWORD },
    );
    expect(accepted).toMatchObject({ status: 201, body: { email, role: 'admin' } });
    const { headers: admin } = await people.session(email);
    return { id: made.body.id, name, email, admin, adminId: accepted.body.id };
  }

  const limitOf = async (headers: Record<string, string>) =>
    Number((await app.fetch('/v1/documents', { headers })).headers.get('ratelimit-limit'));

  const colleague = (admin: Record<string, string>, role: string) => people.person(role, admin);

  describe('operators', () => {
    it('give a tenant more or less of every quota, which it cannot do itself', async () => {
      const tenant = await newTenant();
      const set = (factor: number | null, headers = operator) =>
        people.send('PUT', `/v1/tenants/${tenant.id}/quotas`, headers, { factor });
      expect(await set(0.5)).toMatchObject({ status: 200, body: { settings: { quota_factor: 0.5 } } });
      expect(await limitOf(tenant.admin)).toBe(50_000);
      expect(await limitOf(operator)).toBe(100_000);
      expect((await set(2, tenant.admin)).status).toBe(403);
      const own = await people.send('PATCH', '/v1/tenant/settings', tenant.admin, { quota_factor: 10 });
      expect(own.status).toBe(400);
      expect(
        await people.send('PATCH', '/v1/tenant/settings', tenant.admin, { answer_threshold: 0.4 }),
      ).toMatchObject({
        status: 200,
      });
      expect(await limitOf(tenant.admin)).toBe(50_000);
      expect(await set(null)).toMatchObject({ status: 200, body: { settings: { answer_threshold: 0.4 } } });
      expect(await limitOf(tenant.admin)).toBe(100_000);
      const events = await people.send('GET', '/v1/audit/events?action=tenant.quotas', tenant.admin);
      const outcomes = (events.body.items as { outcome: string }[]).map(({ outcome }) => outcome);
      expect(outcomes).toEqual(['success', 'denied', 'success']);
    });

    it('make tenants with a first administrator, list them and find each by its name once', async () => {
      const tenant = await newTenant();
      const seen: string[] = [];
      for (let cursor: string | null = ''; cursor !== null;) {
        const query = cursor ? `limit=2&cursor=${cursor}` : 'limit=2';
        const { body } = await people.send('GET', `/v1/tenants?${query}`, operator);
        seen.push(...(body.items as { name: string }[]).map(({ name }) => name));
        cursor = body.next_cursor;
      }
      expect(seen).toEqual([...new Set(seen)].sort());
      expect(seen).toEqual(expect.arrayContaining(['default', tenant.name]));
      const twice = { name: tenant.name, admin_email: 'x@example.com' };
      expect(await people.send('POST', '/v1/tenants', operator, twice)).toMatchObject({
        status: 409,
        body: { code: 'tenant-exists' },
      });
      expect((await people.send('GET', `/v1/tenants/${randomUUID()}`, operator)).status).toBe(404);
    });

    it('are the only ones who see other tenants, and see no users of theirs', async () => {
      const tenant = await newTenant();
      for (const headers of [tenant.admin, app.admin])
        expect((await people.send('GET', '/v1/tenants', headers)).status).toBe(403);
      expect((await users(operator)).map(({ id }) => id)).not.toContain(tenant.adminId);
      expect((await people.send('GET', `/v1/users/${tenant.adminId}`, operator)).status).toBe(404);
    });

    it('suspend a tenant: its credentials are refused at once, and good again when it is resumed', async () => {
      const tenant = await newTenant();
      const { body } = await people.send('POST', '/v1/api-keys', tenant.admin, { name: 'k' });
      const key = bearer(body.key);
      expect([await people.me(tenant.admin), await people.me(key)]).toEqual([200, 200]);
      expect((await people.send('POST', `/v1/tenants/${tenant.id}/suspend`, operator)).status).toBe(200);
      expect([await people.me(tenant.admin), await people.me(key)]).toEqual([401, 401]);
      expect((await people.login(tenant.email)).status).toBe(401);
      expect((await people.send('POST', `/v1/tenants/${tenant.id}/resume`, operator)).status).toBe(200);
      expect([await people.me(tenant.admin), await people.me(key)]).toEqual([200, 200]);
      const told = await people.send('GET', '/v1/audit/events?action=tenant.*', tenant.admin);
      expect((told.body.items as { action: string }[]).map(({ action }) => action)).toEqual([
        'tenant.resume',
        'tenant.suspend',
      ]);
    });

    it('cannot suspend the tenant that they belong to', async () => {
      const { body } = await people.send('GET', '/v1/me', operator);
      const { id } = body.tenant as { id: string };
      expect(await people.send('POST', `/v1/tenants/${id}/suspend`, operator)).toMatchObject({
        status: 409,
        body: { code: 'own-tenant' },
      });
    });

    it('stop the work of a tenant that is suspended, and nobody else’s', async () => {
      const [held, free] = [await newTenant(), await newTenant()];
      await people.send('POST', `/v1/tenants/${held.id}/suspend`, operator);
      // Uploaded just before, as it were: a suspended tenant uploads nothing.
      const queue = (tenantId: string, ownerId: string) =>
        app.db.owner.query(
          `with d as (
             insert into document (tenant_id, id, owner_id, title, media_type, size_bytes, sha256, visibility, status, filename)
             values ($1, gen_random_uuid(), $2, 'x', 'text/plain', 1, decode(repeat('00', 32), 'hex'), 'private', 'queued',
                     'x.txt')
             returning tenant_id, id)
           insert into job (tenant_id, document_id) select tenant_id, id from d`,
          [tenantId, ownerId],
        );
      await queue(held.id, held.adminId);
      await queue(free.id, free.adminId);
      const claims = async () =>
        (await app.db.owner.query('select tenant_id, claimed_at is not null as claimed from job')).rows;
      const claimed = await eventually(claims, (rows) => rows.some((row) => row.claimed));
      expect(claimed.filter((row) => row.claimed).map((row) => row.tenant_id)).toEqual([free.id]);
    });
  });

  describe('administrators', () => {
    it('see the users of their tenant and nobody else’s', async () => {
      const [one, other] = [await newTenant(), await newTenant()];
      const member = await colleague(one.admin, 'member');
      expect((await users(one.admin)).map(({ id }) => id)).toEqual([one.adminId, member.id].sort());
      for (const [method, json] of [['GET'], ['PATCH', { role: 'admin' }], ['DELETE']] as const)
        expect((await people.send(method, `/v1/users/${other.adminId}`, one.admin, json)).status).toBe(404);
      expect((await people.send('GET', '/v1/users', member.headers)).status).toBe(403);
    });

    it.each([
      ['another role', { role: 'manager' }],
      ['a suspension', { suspended: true }],
    ])('end the sessions of a user with %s', async (_, change) => {
      const tenant = await newTenant();
      const member = await colleague(tenant.admin, 'member');
      expect(await people.me(member.headers)).toBe(200);
      const changed = await people.send('PATCH', `/v1/users/${member.id}`, tenant.admin, change);
      expect(changed.status).toBe(200);
      expect(await people.me(member.headers)).toBe(401);
      const again = await people.login(member.email);
      expect(again.status).toBe('role' in change ? 200 : 401);
      if ('role' in change) return;
      await people.send('PATCH', `/v1/users/${member.id}`, tenant.admin, { suspended: false });
      expect((await people.login(member.email)).status).toBe(200);
    });

    it('end the sessions of a user wherever he is, and nobody else’s', async () => {
      const tenant = await newTenant();
      const member = await colleague(tenant.admin, 'member');
      const elsewhere = await people.session(member.email);
      const other = await colleague(tenant.admin, 'member');
      const end = (id: string, headers: Record<string, string>) =>
        people.send('DELETE', `/v1/users/${id}/sessions`, headers);
      expect((await end(tenant.adminId, member.headers)).status).toBe(403);
      expect((await end(member.id, (await newTenant()).admin)).status).toBe(404);
      expect(await people.me(member.headers)).toBe(200);
      expect((await end(member.id, tenant.admin)).status).toBe(204);
      for (const headers of [member.headers, elsewhere.headers]) expect(await people.me(headers)).toBe(401);
      const body = { refresh_token: elsewhere.refreshToken };
      expect((await people.send('POST', '/v1/auth/refresh', {}, body)).status).toBe(401);
      expect(await people.me(other.headers)).toBe(200);
      expect((await people.login(member.email)).status).toBe(200);
      // One's own, but for the one that asks.
      expect((await end(tenant.adminId, tenant.admin)).status).toBe(204);
      expect(await people.me(tenant.admin)).toBe(200);
    });

    it('remove a user: his credentials end, his address is free, and nothing says who he was', async () => {
      const tenant = await newTenant();
      const member = await colleague(tenant.admin, 'member');
      expect((await people.send('DELETE', `/v1/users/${member.id}`, tenant.admin)).status).toBe(204);
      expect(await people.me(member.headers)).toBe(401);
      expect((await people.login(member.email)).status).toBe(401);
      expect((await users(tenant.admin)).map(({ id }) => id)).toEqual([tenant.adminId]);
      const { rows } = await app.db.owner.query('select * from app_user where id = $1', [member.id]);
      expect(JSON.stringify(rows)).not.toContain(member.email);
      const invited = { email: member.email, role: 'member' };
      expect((await people.send('POST', '/v1/invitations', tenant.admin, invited)).status).toBe(201);
    });

    it('are never gone: the last one can neither be demoted, suspended nor removed', async () => {
      const tenant = await newTenant();
      const last = { status: 409, body: { code: 'last-administrator' } };
      const path = `/v1/users/${tenant.adminId}`;
      expect(await people.send('PATCH', path, tenant.admin, { role: 'member' })).toMatchObject(last);
      expect(await people.send('PATCH', path, tenant.admin, { suspended: true })).toMatchObject(last);
      expect(await people.send('DELETE', path, tenant.admin)).toMatchObject(last);
      const second = await colleague(tenant.admin, 'admin');
      // Each demotes the other at the same moment: one of them stays.
      const [one, two] = await Promise.all([
        people.send('PATCH', `/v1/users/${second.id}`, tenant.admin, { role: 'member' }),
        people.send('PATCH', path, second.headers, { role: 'member' }),
      ]);
      expect([one.status, two.status].filter((status) => status === 200)).toHaveLength(1);
      const { rows } = await app.db.owner.query(
        `select count(*)::int as count from app_user where tenant_id = $1 and role = 'admin'`,
        [tenant.id],
      );
      expect(rows[0].count).toBe(1);
    });

    it('are people: the account of a program is no colleague, and does not run the tenant', async () => {
      const tenant = await newTenant();
      const account = { name: 'nightly import', role: 'admin' };
      const made = await people.send('POST', '/v1/service-accounts', tenant.admin, account);
      expect(made.status).toBe(201);
      expect((await users(tenant.admin)).map(({ id }) => id)).toEqual([tenant.adminId]);
      const { status } = await people.send('GET', `/v1/users/${made.body.id}`, tenant.admin);
      expect(status).toBe(404);
      expect(
        await people.send('PATCH', `/v1/users/${tenant.adminId}`, tenant.admin, { role: 'member' }),
      ).toMatchObject({ status: 409, body: { code: 'last-administrator' } });
    });

    it('reach no further than themselves: they make no operators and touch none', async () => {
      const { body } = await people.send('GET', '/v1/me', operator);
      const beyond = { status: 403, body: { code: 'role-out-of-reach' } };
      const own = (await people.send('GET', '/v1/me', app.admin)).body.id;
      expect(await people.send('PATCH', `/v1/users/${own}`, app.admin, { role: 'operator' })).toMatchObject(
        beyond,
      );
      expect(await people.send('DELETE', `/v1/users/${body.id}`, app.admin)).toMatchObject(beyond);
      const invited = { email: 'op@example.com', role: 'operator' };
      expect(await people.send('POST', '/v1/invitations', app.admin, invited)).toMatchObject(beyond);
    });
  });

  describe('settings', () => {
    it('are changed one by one, given back with null, and taken only where they have an effect', async () => {
      const { admin } = await newTenant();
      const set = async (json: unknown) => people.send('PATCH', '/v1/tenant/settings', admin, json);
      expect(await set({ answer_threshold: 0.8 })).toMatchObject({
        status: 200,
        body: { settings: { answer_threshold: 0.8 } },
      });
      const both = { answer_threshold: 0.8, allowed_models: [] };
      expect((await set({ allowed_models: [] })).body.settings).toEqual(both);
      expect((await set({ answer_threshold: null })).body.settings).toEqual({ allowed_models: [] });
      for (const refused of [{ retention_days: 3 }, { answer_threshold: 2 }, { suspended_at: null }])
        expect((await set(refused)).status).toBe(400);
      const shown = await people.send('GET', '/v1/tenant', admin);
      expect(shown.body.settings).toEqual({ allowed_models: [] });
    });

    it('leave no trace of addresses in the log', async () => {
      const { rows } = await app.db.owner.query('select detail, targets, context from audit_event');
      expect(JSON.stringify(rows)).not.toContain('@');
      expect(ADMIN.email).toContain('@');
    });
  });
});
