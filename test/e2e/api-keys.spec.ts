import { randomUUID } from 'node:crypto';
import { signedIn } from '../support/operator.js';
import { testApp, type TestApp } from '../support/test-app.js';

interface Key {
  id: string;
  key: string;
  scopes: string[] | null;
  networks: string[] | null;
  expires_at: string;
}
interface Account {
  id: string;
  name: string;
  role: string;
  suspended: boolean;
}

describe('API keys and service accounts over HTTP', () => {
  let app: TestApp;
  beforeAll(async () => {
    // The tests say from where they come.
    app = await testApp({ TRUST_PROXY: '127.0.0.1' });
  });
  afterAll(() => app?.close());

  type Headers = Record<string, string>;
  const bearer = (key: string) => ({ authorization: `Bearer ${key}` });
  async function call<T>(method: string, path: string, headers: Headers, json?: unknown) {
    const response = await app.fetch(path, { method, headers, ...(json !== undefined && { json }) });
    const text = await response.text();
    return { status: response.status, body: (text ? JSON.parse(text) : undefined) as T & { code?: string } };
  }
  const createKey = (body: object = {}, headers: Headers = app.admin) =>
    call<Key>('POST', '/v1/api-keys', headers, { name: 'reporting', ...body });
  const me = (key: string, from = '192.0.2.1') =>
    call<{ id: string; permissions: string[]; role: string }>('GET', '/v1/me', {
      ...bearer(key),
      'x-forwarded-for': from,
    });
  async function reasons(keyId: string): Promise<string[]> {
    const { rows } = await app.db.owner.query(
      `select reason from audit_event where outcome = 'denied' and credential_id = $1 order by id`,
      [keyId],
    );
    return rows.map(({ reason }) => reason as string);
  }

  describe('a key with scopes', () => {
    it('does what they name, of what its user may do', async () => {
      const { status, body } = await createKey({ scopes: ['account.own', 'audit.read'] });
      expect({ status, scopes: body.scopes }).toEqual({ status: 201, scopes: ['account.own', 'audit.read'] });
      expect((await me(body.key)).body.permissions).toEqual(['account.own', 'audit.read']);
      expect((await call('GET', '/v1/audit/events', bearer(body.key))).status).toBe(200);
      const refused = await call('GET', '/v1/documents', bearer(body.key));
      expect(refused).toMatchObject({ status: 403, body: { code: 'forbidden' } });
      expect(await reasons(body.id)).toEqual(['forbidden']);
    });

    it('cannot be given what its user may not do, or what does not exist', async () => {
      const member = await signedIn(app, 'member');
      const refused = await createKey({ scopes: ['document.read', 'audit.read'] }, member);
      expect(refused).toMatchObject({
        status: 422,
        body: { code: 'scopes-not-held', scopes: ['audit.read'] },
      });
      for (const scopes of [['root'], [], ['audit.read', 'audit.read'], '*'])
        expect((await createKey({ scopes })).status).toBe(400);
    });

    it('of an administrator makes nobody, raises nobody and takes no second factor away', async () => {
      const { body: key } = await createKey({ scopes: ['user.manage'] });
      const headers = bearer(key.key);
      const colleague = (await me((await createKey({}, await signedIn(app, 'member'))).body.key)).body;
      const required = { status: 403, body: { code: 'session-required' } };
      const invite = { email: 'accomplice@example.com', role: 'admin' };
      expect(await call('POST', '/v1/invitations', headers, invite)).toMatchObject(required);
      const path = `/v1/users/${colleague.id}`;
      expect(await call('PATCH', path, headers, { role: 'admin' })).toMatchObject(required);
      expect(await call('DELETE', `${path}/totp`, headers)).toMatchObject(required);
      // Who leaves is often taken out by a program.
      expect(await call('PATCH', path, headers, { suspended: true })).toMatchObject({ status: 200 });
      expect(await call('DELETE', path, headers)).toMatchObject({ status: 204 });
    });

    it('loses what its user loses', async () => {
      const manager = await signedIn(app, 'manager');
      const { body } = await createKey({ scopes: ['account.own', 'document.share'] }, manager);
      const { id } = (await me(body.key)).body;
      await app.db.owner.query(`update app_user set role = 'member' where id = $1`, [id]);
      const seen = async () => (await me(body.key)).body.permissions;
      const until = performance.now() + 15_000;
      while ((await seen()).length > 1 && performance.now() < until)
        await new Promise((resolve) => setTimeout(resolve, 100));
      expect(await seen()).toEqual(['account.own']);
    });
  });

  describe('a key of some networks', () => {
    it('is good from there only, however lately it was good', async () => {
      const { body } = await createKey({ networks: ['192.0.2.0/24', '2001:db8::/32'] });
      expect((await me(body.key, '192.0.2.77')).status).toBe(200);
      expect((await me(body.key, '2001:db8::5')).status).toBe(200);
      expect((await me(body.key, '::ffff:192.0.2.5')).status).toBe(200);
      expect(await me(body.key, '192.0.3.1')).toMatchObject({
        status: 401,
        body: { code: 'api-key-not-from-here' },
      });
      expect((await me(body.key, '192.0.2.77')).status).toBe(200);
      expect(await reasons(body.id)).toEqual(['api-key-not-from-here']);
    });

    it.each([['192.0.2.0'], ['192.0.2.0/33'], ['example.com/8'], ['']])(
      'is not made for %j',
      async (network) => {
        expect((await createKey({ networks: [network] })).status).toBe(400);
      },
    );
  });

  describe('rotation', () => {
    const rotate = (id: string, body: object | undefined = {}, headers: Headers = app.admin) =>
      call<Key>('POST', `/v1/api-keys/${id}/rotate`, headers, body);

    it('makes a key that is good at once, of the same limits, while the old one stays good', async () => {
      const old = (
        await createKey({ scopes: ['account.own'], networks: ['192.0.2.0/24'], expires_in_days: 30 })
      ).body;
      const { status, body } = await rotate(old.id, { overlap_seconds: 3_600 });
      expect(status).toBe(201);
      expect(body).toMatchObject({ scopes: ['account.own'], networks: ['192.0.2.0/24'] });
      expect(body.expires_at.slice(0, 10)).toBe(old.expires_at.slice(0, 10));
      expect([(await me(old.key)).status, (await me(body.key)).status]).toEqual([200, 200]);
      const { items } = (
        await call<{ items: (Key & { replaced_by: string })[] }>('GET', '/v1/api-keys', app.admin)
      ).body;
      const listed = items.find(({ id }) => id === old.id)!;
      expect(listed.replaced_by).toBe(body.id);
      expect(Date.parse(listed.expires_at) - Date.now()).toBeLessThanOrEqual(3_600_000);
      expect(await rotate(old.id)).toMatchObject({ status: 409, body: { code: 'api-key-replaced' } });
    });

    it('ends the old key at once without an overlap', async () => {
      const old = (await createKey()).body;
      expect((await me(old.key)).status).toBe(200);
      const { body } = await rotate(old.id, { overlap_seconds: 0 });
      expect((await me(old.key)).status).toBe(401);
      expect((await me(body.key)).status).toBe(200);
      expect(await rotate(old.id)).toMatchObject({ status: 404, body: { code: 'api-key-not-found' } });
    });

    it('is for the owner and his session only, and has its limits', async () => {
      const { id, key } = (await createKey()).body;
      expect((await rotate(id, {}, bearer(key))).body.code).toBe('session-required');
      expect((await rotate(id, {}, await signedIn(app, 'operator'))).status).toBe(404);
      expect((await rotate(id, { overlap_seconds: 604_801 })).status).toBe(400);
      expect((await rotate(randomUUID())).status).toBe(404);
    });

    it('makes one new key of many requests at once', async () => {
      const { id } = (await createKey()).body;
      const answers = await Promise.all(Array.from({ length: 8 }, () => rotate(id)));
      expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
      expect(answers.filter(({ body }) => body.code === 'api-key-replaced')).toHaveLength(7);
    });
  });

  describe('a service account', () => {
    const create = (body: object, headers: Headers = app.admin) =>
      call<Account>('POST', '/v1/service-accounts', headers, body);
    const keysOf = (id: string) => `/v1/service-accounts/${id}/keys`;

    it('acts by its keys, which administrators make, rotate and end', async () => {
      const { status, body: account } = await create({ name: `sync ${randomUUID()}`, role: 'manager' });
      expect(status).toBe(201);
      const made = (await call<Key>('POST', keysOf(account.id), app.admin, { name: 'first' })).body;
      expect((await me(made.key)).body).toMatchObject({ id: account.id, role: 'manager' });
      const next = await call<Key>('POST', `${keysOf(account.id)}/${made.id}/rotate`, app.admin, {
        overlap_seconds: 0,
      });
      expect([(await me(made.key)).status, (await me(next.body.key)).status]).toEqual([401, 200]);
      const { items } = (await call<{ items: Key[] }>('GET', keysOf(account.id), app.admin)).body;
      expect(items.map(({ id }) => id)).toEqual([next.body.id, made.id]);
      const revoked = await call('DELETE', `${keysOf(account.id)}/${next.body.id}`, app.admin);
      expect([revoked.status, (await me(next.body.key)).status]).toEqual([204, 401]);
    });

    it('can be renamed, promoted and ended with all its keys', async () => {
      const name = `export ${randomUUID()}`;
      const { body: account } = await create({ name });
      expect((await create({ name })).body.code).toBe('service-account-name-taken');
      const { key } = (await call<Key>('POST', keysOf(account.id), app.admin, { name: 'k' })).body;
      expect((await me(key)).body.role).toBe('member');
      const path = `/v1/service-accounts/${account.id}`;
      expect((await call<Account>('PATCH', path, app.admin, { role: 'admin' })).body.role).toBe('admin');
      expect((await me(key)).body.role).toBe('admin');
      expect((await call('DELETE', path, app.admin)).status).toBe(204);
      expect((await me(key)).status).toBe(401);
      for (const [method, at, body] of [
        ['GET', path],
        ['DELETE', path],
        ['POST', keysOf(account.id), { name: 'x' }],
      ] as const)
        expect((await call(method, at, app.admin, body)).body.code).toBe('service-account-not-found');
      expect((await create({ name })).status).toBe(201);
    });

    it('never may do more than who makes it, and no key makes any', async () => {
      expect((await create({ name: 'x', role: 'operator' })).body.code).toBe('role-above-own');
      const operator = await signedIn(app, 'operator');
      const { body } = await create({ name: `ops ${randomUUID()}`, role: 'operator' }, operator);
      expect((await call('POST', keysOf(body.id), app.admin, { name: 'x' })).body.code).toBe(
        'role-above-own',
      );
      expect((await create({ name: 'x' }, await signedIn(app, 'manager'))).body.code).toBe('forbidden');
      const { key } = (await createKey()).body;
      expect((await create({ name: 'x' }, bearer(key))).body.code).toBe('session-required');
    });

    it('is sent no mail with which somebody could choose a password for it', async () => {
      const { body: account } = await call<Account>('POST', '/v1/service-accounts', app.admin, {
        name: `mute ${randomUUID()}`,
      });
      const email = `service-${account.id}@service.invalid`;
      expect((await call('POST', '/v1/auth/password/forgot', {}, { email })).status).toBe(202);
      const { rows } = await app.db.owner.query('select from password_reset where user_id = $1', [
        account.id,
      ]);
      expect(rows).toEqual([]);
    });

    it('has no password, and is a stranger’s in another tenant', async () => {
      const { body } = await create({ name: `quiet ${randomUUID()}` });
      const login = await app.fetch('/v1/auth/login', {
        json: { email: `service-${body.id}@service.invalid`, password: 'x' },
      });
      expect(login.status).toBe(401);
      const { tenantId } = await app.db.createTenant();
      const seen = await app.db.tenantDb.read(tenantId, (tx) => tx.query('select * from service_account'));
      expect(seen).toEqual([]);
    });
  });
});
