import { randomUUID } from 'node:crypto';
import { ADMIN, testApp, type TestApp } from '../support/test-app.js';

interface Tokens {
  access_token: string;
  token_type: string;
  expires_in: number;
  refresh_token: string;
  refresh_expires_in: number;
}
interface AuditEvent {
  id: string;
  action: string;
  actor: { type: string; id: string | null; role: string | null; credential_id: string | null };
  targets: { type: string; id: string }[];
  outcome: string;
  reason: string | null;
  request_id: string;
  route: string;
  detail: Record<string, unknown>;
}

describe('identity over HTTP', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await testApp({ AUTH_NETWORK_LOGINS_PER_MINUTE: '100' });
  });
  afterAll(() => app?.close());

  const bearer = (credential: string) => ({ authorization: `Bearer ${credential}` });
  const codeOf = async (response: Response) => ({
    status: response.status,
    code: ((await response.json()) as { code: string }).code,
  });
  async function login(credentials: object = ADMIN): Promise<Tokens> {
    const response = await app.fetch('/v1/auth/login', { json: credentials });
    expect(response.status).toBe(200);
    return (await response.json()) as Tokens;
  }
  const refresh = (token: string, headers: Record<string, string> = {}) =>
    app.fetch('/v1/auth/refresh', { json: { refresh_token: token }, headers });
  async function createKey(headers = app.admin, body: object = { name: 'reporting' }) {
    const response = await app.fetch('/v1/api-keys', { json: body, headers });
    expect(response.status).toBe(201);
    return (await response.json()) as { id: string; key: string; prefix: string; expires_at: string };
  }
  async function events(query: string, headers = app.admin): Promise<AuditEvent[]> {
    const response = await app.fetch(`/v1/audit/events?${query}`, { headers });
    expect(response.status).toBe(200);
    return ((await response.json()) as { items: AuditEvent[] }).items;
  }
  /** A colleague of the administrator, with a session of his own. */
  async function colleague(role: string) {
    const email = `${randomUUID()}@example.com`;
    const id = randomUUID();
    await app.db.owner.query(
      `insert into app_user (tenant_id, id, email, password_hash, role)
       select tenant_id, $1, $2, password_hash, $3 from app_user where email = $4`,
      [id, email, role, ADMIN.email],
    );
    const tokens = await login({ email, password: ADMIN.password });
    return { id, email, tokens, headers: bearer(tokens.access_token) };
  }

  describe('login', () => {
    it('answers with tokens that nobody may store', async () => {
      const response = await app.fetch('/v1/auth/login', { json: ADMIN });
      expect(response.headers.get('cache-control')).toBe('no-store');
      const tokens = (await response.json()) as Tokens;
      expect(tokens).toMatchObject({ token_type: 'Bearer', expires_in: 600 });
      expect(Object.keys(tokens)).toHaveLength(5);
      const me = await app.fetch('/v1/me', { headers: bearer(tokens.access_token) });
      expect(await me.json()).toMatchObject({
        email: ADMIN.email,
        role: 'admin',
        via: 'session',
        tenant: { name: 'default' },
        permissions: expect.arrayContaining(['document.read', 'audit.read']),
      });
    });

    it('refuses a wrong password and an unknown address in the same words', async () => {
      const [wrong, unknown] = await Promise.all([
        app.fetch('/v1/auth/login', { json: { ...ADMIN, password: 'wrong' } }),
        app.fetch('/v1/auth/login', { json: { ...ADMIN, email: 'nobody@example.com' } }),
      ]);
      expect(wrong.headers.get('www-authenticate')).toBe('Bearer realm="navigator"');
      const [one, two] = [await wrong.json(), await unknown.json()] as [object, object];
      expect({ ...one, request_id: '' }).toEqual({ ...two, request_id: '' });
      expect(one).toMatchObject({ status: 401, code: 'invalid-credentials' });
    });

    it('refuses members that it does not know', async () => {
      const response = await app.fetch('/v1/auth/login', { json: { ...ADMIN, tenant_id: randomUUID() } });
      expect(await codeOf(response)).toEqual({ status: 400, code: 'validation-failed' });
    });

    it('slows guessing down and says how long to wait', async () => {
      const { email } = await colleague('member');
      let response: Response;
      do response = await app.fetch('/v1/auth/login', { json: { email, password: 'wrong' } });
      while (response.status === 401);
      expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(await codeOf(response)).toEqual({ status: 429, code: 'too-many-logins' });
    });
  });

  describe('refresh and logout', () => {
    it('exchanges a token once, and ends the session of one that was copied', async () => {
      const first = await login();
      const second = (await (await refresh(first.refresh_token)).json()) as Tokens;
      expect(second.refresh_token).not.toBe(first.refresh_token);
      const copied = await refresh(first.refresh_token, { 'user-agent': 'thief' });
      expect(await codeOf(copied)).toEqual({ status: 401, code: 'refresh-token-reused' });
      expect(await codeOf(await refresh(second.refresh_token))).toEqual({
        status: 401,
        code: 'refresh-token-invalid',
      });
      expect(await codeOf(await app.fetch('/v1/me', { headers: bearer(second.access_token) }))).toEqual({
        status: 401,
        code: 'session-ended',
      });
    });

    it('gives fifty refreshes at once one and the same successor', async () => {
      const { refresh_token } = await login();
      // On a busy machine some are told that there is no connection free for them, and come back.
      const untilServed = async (): Promise<Response> => {
        const answer = await refresh(refresh_token);
        return answer.status === 503 ? untilServed() : answer;
      };
      const answers = await Promise.all(Array.from({ length: 50 }, untilServed));
      expect(answers.map((answer) => answer.status)).toEqual(Array(50).fill(200));
      const tokens = (await Promise.all(answers.map((answer) => answer.json()))) as Tokens[];
      expect(new Set(tokens.map((token) => token.refresh_token)).size).toBe(1);
    });

    it('logs out with and without a body', async () => {
      for (const init of [{ method: 'POST' }, { json: {} }]) {
        const tokens = await login();
        const headers = bearer(tokens.access_token);
        const response = await app.fetch('/v1/auth/logout', { ...init, headers });
        expect(response.status).toBe(204);
        expect((await app.fetch('/v1/me', { headers })).status).toBe(401);
        expect((await refresh(tokens.refresh_token)).status).toBe(401);
      }
    });

    it('logs out everywhere', async () => {
      const { email, tokens, headers } = await colleague('member');
      const elsewhere = await login({ email, password: ADMIN.password });
      const response = await app.fetch('/v1/auth/logout', { json: { everywhere: true }, headers });
      expect(response.status).toBe(204);
      for (const { access_token, refresh_token } of [tokens, elsewhere]) {
        expect((await app.fetch('/v1/me', { headers: bearer(access_token) })).status).toBe(401);
        expect((await refresh(refresh_token)).status).toBe(401);
      }
    });

    it('ends other sessions only for who has shown again that he is there', async () => {
      const { id, email, headers } = await colleague('member');
      const { access_token } = await login({ email, password: ADMIN.password });
      const list = await app.fetch('/v1/auth/sessions', { headers });
      const { items } = (await list.json()) as { items: { id: string; current: boolean }[] };
      const idOf = (current: boolean) => items.find((item) => item.current === current)!.id;
      const end = (sessionId: string) =>
        app.fetch(`/v1/auth/sessions/${sessionId}`, { method: 'DELETE', headers });
      const logout = (json: object) => app.fetch('/v1/auth/logout', { json, headers });
      const isHere = async () =>
        (await app.fetch('/v1/me', { headers: bearer(access_token) })).status === 200;

      // As a thief has it, or who forgot to log out in the morning.
      await app.db.owner.query(
        `update session set created_at = now() - interval '16 minutes' where user_id = $1`,
        [id],
      );
      const required = { status: 403, code: 'reauthentication-required' };
      expect(await codeOf(await end(idOf(false)))).toEqual(required);
      expect(await codeOf(await logout({ everywhere: true }))).toEqual(required);
      const wrong = await logout({ everywhere: true, password: 'not that one' });
      expect(await codeOf(wrong)).toEqual({ status: 403, code: 'reauthentication-failed' });
      expect(await isHere()).toBe(true);

      await app.db.owner.query(`update session set created_at = now() where id = $1`, [idOf(true)]);
      expect((await end(idOf(false))).status).toBe(204);
      expect(await isHere()).toBe(false);
      await app.db.owner.query(
        `update session set created_at = now() - interval '16 minutes' where user_id = $1`,
        [id],
      );
      const again = await login({ email, password: ADMIN.password });
      expect((await logout({ everywhere: true, password: ADMIN.password })).status).toBe(204);
      expect((await refresh(again.refresh_token)).status).toBe(401);
    });

    it('ends the session itself without more, however old it is', async () => {
      const { id, headers } = await colleague('member');
      await app.db.owner.query(
        `update session set created_at = now() - interval '1 day' where user_id = $1`,
        [id],
      );
      const list = await app.fetch('/v1/auth/sessions', { headers });
      const { items } = (await list.json()) as { items: { id: string }[] };
      const ended = await app.fetch(`/v1/auth/sessions/${items[0]!.id}`, { method: 'DELETE', headers });
      expect(ended.status).toBe(204);
      expect((await app.fetch('/v1/me', { headers })).status).toBe(401);
    });
  });

  describe('API keys', () => {
    it('are shown once, listed without their secret, and act as their user', async () => {
      const { key, id, prefix, expires_at } = await createKey(app.admin, {
        name: 'reporting',
        expires_in_days: 30,
      });
      expect(key).toMatch(new RegExp(`^${prefix}_[0-9A-Za-z]{43}_[0-9A-Za-z]{6}$`));
      expect(Date.parse(expires_at)).toBeGreaterThan(Date.now() + 29 * 86_400_000);
      const me = await app.fetch('/v1/me', { headers: bearer(key) });
      expect(await me.json()).toMatchObject({ email: ADMIN.email, via: 'api-key' });
      const list = await (await app.fetch('/v1/api-keys', { headers: bearer(key) })).text();
      expect(list).toContain(id);
      expect(list).not.toContain(key.split('_')[2]);
    });

    it('are listed page by page', async () => {
      const { headers } = await colleague('member');
      for (let i = 0; i < 3; i++) await createKey(headers, { name: `key ${i}` });
      const seen: string[] = [];
      for (let cursor: string | null = ''; cursor !== null;) {
        const query = cursor ? `limit=2&cursor=${cursor}` : 'limit=2';
        const body = await (await app.fetch(`/v1/api-keys?${query}`, { headers })).json();
        const { items, next_cursor } = body as { items: { id: string }[]; next_cursor: string | null };
        seen.push(...items.map((item) => item.id));
        cursor = next_cursor;
      }
      expect(new Set(seen).size).toBe(3);
    });

    it('stop when revoked, however often that is asked for', async () => {
      const { key, id } = await createKey();
      expect((await app.fetch('/v1/me', { headers: bearer(key) })).status).toBe(200);
      for (let i = 0; i < 2; i++) {
        const response = await app.fetch(`/v1/api-keys/${id}`, { method: 'DELETE', headers: app.admin });
        expect(response.status).toBe(204);
      }
      const response = await app.fetch('/v1/me', { headers: bearer(key) });
      expect(response.headers.get('www-authenticate')).toContain('invalid_token');
      expect(await codeOf(response)).toEqual({ status: 401, code: 'api-key-invalid' });
    });

    it('cannot make keys or log anybody out', async () => {
      const { key } = await createKey();
      for (const path of ['/v1/api-keys', '/v1/auth/logout']) {
        const body = path.endsWith('keys') ? { name: 'x' } : {};
        expect(await codeOf(await app.fetch(path, { json: body, headers: bearer(key) }))).toEqual({
          status: 403,
          code: 'session-required',
        });
      }
    });
  });

  describe('access', () => {
    it.each([
      ['no credential', ''],
      ['a scheme alone', 'Bearer'],
      ['another scheme', 'Basic abc'],
      ['what looks like a token', 'Bearer a.b.c'],
      ['a token of 5,000 characters', `Bearer ${'x'.repeat(5_000)}`],
      ['what looks like a key', 'Bearer nav_1_2_3'],
    ])('is refused with %s', async (_, authorization) => {
      const response = await app.fetch('/v1/me', { headers: { authorization } });
      expect(response.status).toBe(401);
      expect(response.headers.get('www-authenticate')).toMatch(/^Bearer realm="navigator"/);
      expect(response.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    });

    it('is forbidden where the role does not allow it', async () => {
      const { headers } = await colleague('member');
      const response = await app.fetch('/v1/audit/events', { headers });
      expect(response.headers.get('www-authenticate')).toContain('insufficient_scope');
      expect(await codeOf(response)).toEqual({ status: 403, code: 'forbidden' });
    });
  });

  describe('the audit log', () => {
    it('has who logged in, and whose login failed, without an address or a password', async () => {
      const { id, email } = await colleague('member');
      await app.fetch('/v1/auth/login', { json: { email, password: 'a wrong guess' } });
      const [failure] = await events(`action=auth.login&target_id=${id}`);
      expect(failure).toMatchObject({
        outcome: 'denied',
        reason: 'invalid-credentials',
        actor: { type: 'anonymous' },
        route: 'POST /v1/auth/login',
      });
      const [success] = await events(`action=auth.login&actor_id=${id}`);
      expect(success).toMatchObject({ outcome: 'success', actor: { type: 'user', role: 'member' } });
      const everything = JSON.stringify((await app.db.owner.query('select * from audit_event')).rows);
      expect(everything).not.toContain(email);
      expect(everything).not.toContain('a wrong guess');
      expect(everything).not.toContain('127.0.0.1');
    });

    it('has what was done with which credential by which request', async () => {
      const { id } = await createKey();
      const response = await app.fetch(`/v1/api-keys/${id}`, {
        method: 'DELETE',
        headers: { ...app.admin, 'x-request-id': 'my-request-1' },
      });
      expect(response.headers.get('x-request-id')).toBe('my-request-1');
      const [revoked, created] = await events(`target_id=${id}`);
      expect(created).toMatchObject({ action: 'api-key.create', outcome: 'success', detail: { days: 365 } });
      expect(revoked).toMatchObject({ action: 'api-key.revoke', request_id: 'my-request-1' });
      expect(revoked!.actor).toEqual(created!.actor);
      expect(await events('request_id=my-request-1')).toHaveLength(1);
    });

    it('has denials: by role, by credential, by a stolen token', async () => {
      const { id, headers } = await colleague('member');
      await app.fetch('/v1/audit/events', { headers });
      expect(await events(`actor_id=${id}&outcome=denied`)).toMatchObject([
        { action: 'audit.read', reason: 'forbidden', detail: { required_permission: 'audit.read' } },
      ]);

      const { key, id: keyId } = await createKey();
      await app.fetch(`/v1/api-keys/${keyId}`, { method: 'DELETE', headers: app.admin });
      await app.fetch('/v1/me', { headers: bearer(key) });
      const denied = await events('action=access&outcome=denied');
      expect(denied[0]).toMatchObject({ reason: 'api-key-invalid', actor: { credential_id: keyId } });

      const { refresh_token } = await login();
      await refresh(refresh_token);
      await refresh(refresh_token, { 'user-agent': 'thief' });
      const [stolen] = await events('action=auth.refresh&outcome=denied');
      expect(stolen).toMatchObject({ reason: 'refresh-token-reused', targets: [{ type: 'session' }] });
    });

    it('has refused input of a change', async () => {
      const response = await app.fetch('/v1/api-keys', { json: { name: '' }, headers: app.admin });
      expect(response.status).toBe(400);
      const [failure] = await events('action=api-key.create&outcome=failure');
      expect(failure).toMatchObject({ reason: 'validation-failed' });
    });

    it('has its own readers', async () => {
      await events('action=nothing.*');
      expect((await events('action=audit.read'))[0]).toMatchObject({
        outcome: 'success',
        actor: { type: 'user', role: 'admin' },
      });
    });

    it('is walked page by page while it grows', async () => {
      const seen = new Set<string>();
      const to = new Date().toISOString();
      const { rows } = await app.db.owner.query(
        `select count(*)::int as count from audit_event
         where tenant_id = (select tenant_id from tenant) and occurred_at < $1`,
        [to],
      );
      for (let cursor: string | null = ''; cursor !== null;) {
        const query = new URLSearchParams({ to, limit: '7', order: 'asc', ...(cursor ? { cursor } : {}) });
        const response = await app.fetch(`/v1/audit/events?${query}`, { headers: app.admin });
        const { items, next_cursor } = (await response.json()) as {
          items: AuditEvent[];
          next_cursor: string | null;
        };
        for (const { id } of items) {
          expect(seen.has(id)).toBe(false);
          seen.add(id);
        }
        cursor = next_cursor;
      }
      expect(seen.size).toBe(rows[0].count);
    });

    it('shows what belongs to no tenant to operators only', async () => {
      await app.fetch('/v1/auth/login', { json: { email: 'nobody@example.com', password: 'x' } });
      const refused = await app.fetch('/v1/audit/events?scope=installation', { headers: app.admin });
      expect(await codeOf(refused)).toEqual({ status: 403, code: 'forbidden' });
      const { headers } = await colleague('operator');
      const [login] = await events('scope=installation&action=auth.login', headers);
      expect(login).toMatchObject({
        outcome: 'denied',
        reason: 'invalid-credentials',
        actor: { type: 'anonymous' },
      });
    });

    it('takes the change with it when it cannot be written', async () => {
      const { id, key } = await createKey();
      await app.db.owner.query('alter table audit_event add constraint broken check (false) not valid');
      try {
        const response = await app.fetch(`/v1/api-keys/${id}`, { method: 'DELETE', headers: app.admin });
        expect(response.headers.get('retry-after')).toBe('5');
        expect(await codeOf(response)).toEqual({ status: 503, code: 'audit-unavailable' });
        const login = await app.fetch('/v1/auth/login', { json: ADMIN });
        expect(await codeOf(login)).toEqual({ status: 503, code: 'audit-unavailable' });
      } finally {
        await app.db.owner.query('alter table audit_event drop constraint broken');
      }
      expect((await app.fetch('/v1/me', { headers: bearer(key) })).status).toBe(200);
    });
  });
});
