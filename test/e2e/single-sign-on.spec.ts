import { randomUUID } from 'node:crypto';
import {
  CLIENT,
  localOidcProvider,
  type LocalOidcProvider,
  REDIRECT_URI,
} from '../support/local-oidc-provider.js';
import { eventually, signedIn } from '../support/operator.js';
import { ADMIN, testApp, type TestApp } from '../support/test-app.js';

describe('single sign-on over HTTP', () => {
  let provider: LocalOidcProvider;
  let app: TestApp;

  beforeAll(async () => {
    provider = await localOidcProvider();
    app = await testApp({
      OIDC_ISSUER: provider.issuer,
      OIDC_CLIENT_ID: CLIENT.id,
      OIDC_CLIENT_SECRET: CLIENT.secret,
      OIDC_REDIRECT_URI: REDIRECT_URI,
      OIDC_ALLOWED_DOMAINS: 'example.com, example.org',
      OIDC_CREATE_USERS: 'true',
      OIDC_ROLE_CLAIM: 'groups',
      OIDC_ROLE_MAP: 'staff=member, leads=manager, it=admin',
      OIDC_TIMEOUT_MS: '2000',
    });
  });
  afterAll(async () => {
    await app?.close();
    await provider?.stop();
  });
  afterEach(() => provider.changeIdTokens());

  /** As a browser that goes to the provider: where that is, and our cookie. */
  async function start() {
    const response = await app.fetch('/v1/auth/oidc/start', { redirect: 'manual' });
    const [cookie] = response.headers.getSetCookie();
    return {
      response,
      location: response.headers.get('location') ?? '',
      cookie: cookie?.split(';')[0] ?? '',
    };
  }
  async function callback(back: URL, cookie: string) {
    const response = await app.fetch(`${back.pathname}${back.search}`, { headers: { cookie } });
    const body = (await response.json()) as { access_token: string; refresh_token: string; code?: string };
    return { response, status: response.status, code: body.code, body };
  }
  async function login(account: Parameters<LocalOidcProvider['is']>[0]) {
    provider.is(account);
    const { location, cookie } = await start();
    return callback(await provider.browse(location), cookie);
  }
  const me = async ({ access_token }: { access_token: string }) =>
    (await (await app.fetch('/v1/me', { headers: { authorization: `Bearer ${access_token}` } })).json()) as {
      id: string;
      email: string;
      role: string;
      via: string;
    };
  /** The last denial of a login by a provider. */
  async function lastDenial() {
    const { rows } = await app.db.owner.query(
      `select reason, detail from audit_event where action = 'sso.login' and outcome = 'denied'
       order by occurred_at desc, id desc limit 1`,
    );
    return rows[0] as { reason: string; detail: Record<string, unknown> };
  }
  /** A user with a password, whom the provider knows too. */
  async function colleague(role = 'member') {
    const headers = await signedIn(app, role);
    const { id, email } = (await (await app.fetch('/v1/me', { headers })).json()) as {
      id: string;
      email: string;
    };
    return { id, email, account: { sub: randomUUID(), email, email_verified: true } };
  }

  it('sends the browser to the provider with everything that the answer must fit', async () => {
    const { response, location, cookie } = await start();
    expect(response.status).toBe(302);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(response.headers.getSetCookie()[0]).toMatch(
      /^navigator-login=[\w-]+; Max-Age=600; Path=\/; HttpOnly; SameSite=Lax$/,
    );
    const url = new URL(location);
    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      client_id: CLIENT.id,
      redirect_uri: REDIRECT_URI,
      response_type: 'code',
      scope: 'openid email profile',
      code_challenge_method: 'S256',
    });
    // Nothing of what must come back can be read in the browser.
    for (const name of ['state', 'nonce']) expect(cookie).not.toContain(url.searchParams.get(name));
  });

  it('leads to the account of the verified address at first, and of the identity ever after', async () => {
    const { id, account } = await colleague();
    const first = await login(account);
    expect(first.status).toBe(200);
    expect(first.response.headers.get('cache-control')).toBe('no-store');
    expect(first.response.headers.getSetCookie()[0]).toMatch(/^navigator-login=; Max-Age=0;/);
    expect(await me(first.body)).toMatchObject({ id, role: 'member', via: 'session' });
    const refreshed = await app.fetch('/v1/auth/refresh', {
      json: { refresh_token: first.body.refresh_token },
    });
    expect(refreshed.status).toBe(200);

    const later = await login({ ...account, email: `${randomUUID()}@example.com`, email_verified: false });
    expect((await me(later.body)).id).toBe(id);
    const { rows } = await app.db.owner.query(
      `select actor_id, outcome, detail from audit_event where action = 'sso.login' and targets::text like $1
       order by occurred_at, id`,
      [`%${id}%`],
    );
    expect(rows.at(-1)).toMatchObject({ actor_id: id, outcome: 'success' });
    expect(JSON.stringify(rows)).not.toContain('@example.com');
  });

  it('does not lead into an account by an address that is not verified, or that belongs to another identity', async () => {
    const { id, account } = await colleague();
    for (const email_verified of [false, undefined]) {
      const refused = await login({ ...account, email_verified });
      expect(refused).toMatchObject({ status: 403, code: 'sso-account-unknown' });
    }
    expect((await lastDenial()).reason).toBe('sso-account-unknown');
    expect((await login(account)).status).toBe(200);
    // The address was given to somebody new.
    const successor = { ...account, sub: randomUUID() };
    expect(await login(successor)).toMatchObject({ status: 403 });
    const path = `/v1/users/${id}/identities`;
    const forbidden = await app.fetch(path, { method: 'DELETE', headers: await signedIn(app, 'manager') });
    expect(forbidden.status).toBe(403);
    const unlinked = await app.fetch(path, { method: 'DELETE', headers: app.admin });
    expect(unlinked.status).toBe(204);
    expect((await login(successor)).status).toBe(200);
  });

  it('makes an account for who comes first from a domain that may, and for nobody else', async () => {
    const account = { sub: randomUUID(), email: `${randomUUID()}@Example.org`, email_verified: true };
    const made = await login({ ...account, groups: ['staff', 'leads', 'unknown'] });
    const person = await me(made.body);
    expect(person).toMatchObject({ email: account.email.toLowerCase(), role: 'manager' });
    const password = await app.fetch('/v1/auth/login', { json: { email: person.email, password: 'x' } });
    expect(password.status).toBe(401);

    const stranger = { sub: randomUUID(), email: 'x@elsewhere.example', email_verified: true };
    expect(await login(stranger)).toMatchObject({ status: 403, code: 'sso-account-unknown' });
    expect(await login({ sub: randomUUID() })).toMatchObject({ status: 403 });
  });

  it('gives the role that the provider says today, but takes none from an operator', async () => {
    const { account } = await colleague();
    expect((await me((await login({ ...account, groups: ['it'] })).body)).role).toBe('admin');
    expect((await me((await login({ ...account, groups: ['staff'] })).body)).role).toBe('member');
    expect((await me((await login({ ...account, groups: ['nothing'] })).body)).role).toBe('member');
    const operator = await colleague('operator');
    expect((await me((await login({ ...operator.account, groups: ['staff'] })).body)).role).toBe('operator');
  });

  it('leaves the last administrator his role, whatever the provider says', async () => {
    const { id, account } = await colleague('admin');
    const others = `role in ('admin', 'operator') and id <> $1 and disabled_at is null`;
    const { rows } = await app.db.owner.query(
      `update app_user set disabled_at = now() where ${others} returning id`,
      [id],
    );
    const last = await login({ ...account, groups: ['staff'] });
    const locked = rows.map((row) => row.id as string);
    await app.db.owner.query('update app_user set disabled_at = null where id = any ($1)', [locked]);
    expect((await me(last.body)).role).toBe('admin');
    expect((await me((await login({ ...account, groups: ['staff'] })).body)).role).toBe('member');
  });

  it('keeps what it knows of an operator from administrators', async () => {
    const { id } = await colleague('operator');
    const path = `/v1/users/${id}/identities`;
    const unlinked = await app.fetch(path, { method: 'DELETE', headers: app.admin });
    expect(unlinked.status).toBe(403);
    expect(((await unlinked.json()) as { code: string }).code).toBe('role-out-of-reach');
  });

  it('lets nobody in who is suspended', async () => {
    const { id, account } = await colleague();
    expect((await login(account)).status).toBe(200);
    await app.db.owner.query('update app_user set disabled_at = now() where id = $1', [id]);
    expect(await login(account)).toMatchObject({ status: 403, code: 'sso-account-unknown' });
  });

  it('is refused with another state, another browser, none at all, and an answer that was used', async () => {
    const { account } = await colleague();
    provider.is(account);
    const { location, cookie } = await start();
    const back = await provider.browse(location);
    const wrong = new URL(back);
    wrong.searchParams.set('state', 'x'.repeat(43));
    expect(await callback(wrong, cookie)).toMatchObject({ status: 401, code: 'sso-state-invalid' });
    expect(await callback(back, (await start()).cookie)).toMatchObject({
      status: 401,
      code: 'sso-state-invalid',
    });
    expect(await callback(back, '')).toMatchObject({ status: 401, code: 'sso-state-invalid' });
    expect(await callback(back, `${cookie}; ${cookie}`)).toMatchObject({ code: 'sso-state-invalid' });
    expect(await callback(back, `${cookie.slice(0, -4)}AAAA`)).toMatchObject({ code: 'sso-state-invalid' });
    expect((await lastDenial()).reason).toBe('sso-state-invalid');

    expect((await callback(back, cookie)).status).toBe(200);
    expect(await callback(back, cookie)).toMatchObject({ status: 401, code: 'sso-refused' });
    expect(await lastDenial()).toMatchObject({ reason: 'sso-refused', detail: { cause: 'invalid_grant' } });
  });

  it('is refused with another nonce, by PKCE for a code that was stolen, and when the provider says no', async () => {
    const { account } = await colleague();
    provider.is(account);
    const other = await start();
    const url = new URL(other.location);
    url.searchParams.set('nonce', 'of-somebody-else-altogether');
    expect(await callback(await provider.browse(url.href), other.cookie)).toMatchObject({
      code: 'sso-refused',
    });

    // Somebody puts the code of another person's login into his own.
    const [mine, theirs] = [await start(), await start()];
    const stolen = await provider.browse(theirs.location);
    stolen.searchParams.set('state', new URL(mine.location).searchParams.get('state')!);
    expect(await callback(stolen, mine.cookie)).toMatchObject({ status: 401, code: 'sso-refused' });

    const denied = await start();
    const no = new URL(REDIRECT_URI);
    no.searchParams.set('state', new URL(denied.location).searchParams.get('state')!);
    no.searchParams.set('error', 'access_denied');
    no.searchParams.set('iss', provider.issuer);
    expect(await callback(no, denied.cookie)).toMatchObject({ status: 401, code: 'sso-refused' });
    expect(await lastDenial()).toMatchObject({ detail: { cause: 'access_denied' } });
  });

  it.each([
    ['another audience', { aud: 'another' }],
    ['another issuer', { iss: 'http://127.0.0.1:1' }],
    ['an end in the past', { exp: 1_000 }],
    ['no nonce', { nonce: undefined }],
    ['another party', { aud: [CLIENT.id, 'another'], azp: 'another' }],
  ])('is refused with an ID token of %s', async (_, change) => {
    const { account } = await colleague();
    provider.changeIdTokens((claims) => ({ ...claims, ...change }));
    expect(await login(account)).toMatchObject({ status: 401, code: 'sso-refused' });
    expect((await lastDenial()).reason).toBe('sso-refused');
  });

  it('ends here and tells where it ends at the provider', async () => {
    const { account } = await colleague();
    const { body } = await login(account);
    const headers = { authorization: `Bearer ${body.access_token}` };
    const response = await app.fetch('/v1/auth/oidc/logout', { json: {}, headers });
    const { end_session_url } = (await response.json()) as { end_session_url: string };
    expect(end_session_url).toBe(`${provider.issuer}/session/end?client_id=${CLIENT.id}`);
    expect((await app.fetch('/v1/me', { headers })).status).toBe(401);
  });

  it('says that the provider is down while passwords still work, and comes back by itself', async () => {
    const { account } = await colleague();
    provider.is(account);
    const { location, cookie } = await start();
    const back = await provider.browse(location);
    await provider.stop();
    const refused = await callback(back, cookie);
    expect(refused).toMatchObject({ status: 503, code: 'dependency-unavailable' });
    expect(refused.response.headers.get('retry-after')).toBeTruthy();
    expect((await app.fetch('/v1/auth/login', { json: ADMIN })).status).toBe(200);

    await provider.startAgain();
    const again = await eventually(
      () => login(account),
      ({ status }) => status === 200,
    );
    expect(again.status).toBe(200);
  });
});

describe('without a provider', () => {
  it('there is no single sign-on', async () => {
    const app = await testApp();
    try {
      const response = await app.fetch('/v1/auth/oidc/start', { redirect: 'manual' });
      expect(response.status).toBe(404);
      expect(((await response.json()) as { code: string }).code).toBe('sso-not-configured');
    } finally {
      await app.close();
    }
  });
});
