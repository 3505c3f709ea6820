import { randomUUID } from 'node:crypto';
import { Secret, TOTP } from 'otpauth';
import { CLIENT, localOidcProvider, REDIRECT_URI } from '../support/local-oidc-provider.js';
import { eventually } from '../support/operator.js';
import { bearer, PASSWORD, peopleOf } from '../support/people.js';
import { ADMIN, testApp, type TestApp } from '../support/test-app.js';

type Headers = Record<string, string>;
const STEP_MS = 30_000;
const refused = {
  status: 403,
  body: { code: 'second-factor-enrolment-required', enrol_at: '/v1/account/totp' },
};

describe('a tenant that requires a second factor', () => {
  let provider: Awaited<ReturnType<typeof localOidcProvider>>;
  let app: TestApp;
  let people: ReturnType<typeof peopleOf>;

  beforeAll(async () => {
    provider = await localOidcProvider();
    app = await testApp({
      MAIL_POLL_MS: '50',
      AUTH_NETWORK_LOGINS_PER_MINUTE: '1000',
      OIDC_ISSUER: provider.issuer,
      OIDC_CLIENT_ID: CLIENT.id,
      OIDC_CLIENT_SECRET: CLIENT.secret,
      OIDC_REDIRECT_URI: REDIRECT_URI,
      OIDC_ALLOWED_DOMAINS: 'example.com',
      OIDC_CREATE_USERS: 'true',
      OIDC_SECOND_FACTOR_VALUES: 'mfa, urn:example:strong',
    });
    people = peopleOf(app);
  });
  afterAll(async () => {
    await app?.close();
    await provider?.stop();
  });
  afterEach(() => provider.changeIdTokens());

  const codeOf = (secret: string, steps = 0) =>
    new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: Date.now() + steps * STEP_MS });
  const search = (headers: Headers) => people.send('POST', '/v1/search', headers, { query: 'deductible' });
  const begin = (headers: Headers, body: object) => people.send('POST', '/v1/account/totp', headers, body);
  const second = (challenge: string, code: string) =>
    people.send('POST', '/v1/auth/login/second-factor', {}, { challenge, code });
  const requireIt = (headers: Headers, required: boolean | null) =>
    people.send('PATCH', '/v1/tenant/settings', headers, { require_second_factor: required });
  async function enrol(headers: Headers, body: object = { current_password: PASSWORD }): Promise<string> {
    const { secret } = (await begin(headers, body)).body;
    const confirmed = await people.send('POST', '/v1/account/totp/confirm', headers, {
      code: codeOf(secret),
    });
    expect(confirmed.status).toBe(200);
    return secret as string;
  }
  /** Somebody with a password and nothing else. */
  const restrictedPerson = () => people.person('member', app.admin);
  async function refreshed(refresh_token: string): Promise<Headers> {
    const { status, body } = await people.send('POST', '/v1/auth/refresh', {}, { refresh_token });
    expect(status).toBe(200);
    return bearer(body.access_token);
  }
  /** As a browser that comes back from the provider, whose ID token says also this. */
  async function ssoLogin(email: string, says: object = {}) {
    provider.is({ sub: email, email, email_verified: true });
    provider.changeIdTokens((claims) => ({ ...claims, ...says }));
    const begun = await app.fetch('/v1/auth/oidc/start', { redirect: 'manual' });
    const back = await provider.browse(begun.headers.get('location')!);
    const cookie = begun.headers.getSetCookie()[0]!.split(';')[0]!;
    return people.send('GET', `${back.pathname}${back.search}`, { cookie });
  }

  it('restricts every session without one to enrolling, for as long as it requires it', async () => {
    const person = await people.person();
    const elsewhere = await people.session(person.email);
    const key = await people.send('POST', '/v1/api-keys', person.headers, { name: 'before' });
    expect((await search(person.headers)).status).toBe(200);
    await enrol(app.admin, { current_password: ADMIN.password });
    expect((await requireIt(app.admin, true)).body.settings).toEqual({ require_second_factor: true });

    // At the next refresh, and also with the access token of before within some seconds.
    const restricted = await refreshed(person.refreshToken);
    expect(await search(restricted)).toMatchObject(refused);
    await eventually(
      () => search(person.headers),
      ({ body }) => body.code === refused.body.code,
    );
    const me = await people.send('GET', '/v1/me', restricted);
    expect(me.body).toMatchObject({ id: person.id, enrol_second_factor_at: '/v1/account/totp' });
    const { rows } = await app.db.owner.query(
      `select outcome, reason, actor_id from audit_event where reason = $1 and actor_id = $2`,
      [refused.body.code, person.id],
    );
    expect(rows[0]).toMatchObject({ outcome: 'denied' });
    // A key is no password that somebody could have guessed; but no further one is made.
    expect((await search(bearer(key.body.key))).status).toBe(200);
    expect(await people.send('POST', '/v1/api-keys', restricted, { name: 'after' })).toMatchObject(refused);

    const secret = await enrol(restricted);
    expect((await search(restricted)).status).toBe(200);
    expect((await people.send('GET', '/v1/me', restricted)).body.enrol_second_factor_at).toBeUndefined();
    // The session elsewhere may be that of who knows the password only.
    expect(await search(await refreshed(elsewhere.refreshToken))).toMatchObject(refused);

    const { body } = await people.login(person.email);
    const strong = bearer((await second(body.challenge, codeOf(secret, 1))).body.access_token);
    expect((await search(strong)).status).toBe(200);

    const weak = await people.session((await restrictedPerson()).email);
    expect(await search(weak.headers)).toMatchObject(refused);
    expect((await requireIt(app.admin, null)).status).toBe(200);
    expect((await search(await refreshed(weak.refreshToken))).status).toBe(200);
  });

  it('leaves such a session no route but those', async () => {
    await requireIt(app.admin, true);
    const { headers } = await people.session((await restrictedPerson()).email);
    const { paths } = (await (await app.fetch('/openapi.json')).json()) as {
      paths: Record<string, Record<string, { security?: object[] }>>;
    };
    const open: string[] = [];
    for (const [path, operations] of Object.entries(paths))
      for (const [method, { security }] of Object.entries(operations)) {
        const name = `${method.toUpperCase()} ${path}`;
        if (security?.length === 0 || name === 'POST /v1/auth/logout' || name === 'POST /v1/auth/oidc/logout')
          continue;
        const url = path.replaceAll(/\{[^}]+\}/g, randomUUID());
        const answer = await people.send(
          method.toUpperCase(),
          url,
          headers,
          method === 'get' ? undefined : {},
        );
        if (answer.body?.code !== refused.body.code) open.push(name);
      }
    expect(open.sort()).toEqual([
      'GET /v1/account/totp',
      'GET /v1/me',
      'POST /v1/account/totp',
      'POST /v1/account/totp/confirm',
    ]);
    expect((await people.send('POST', '/v1/auth/logout', headers)).status).toBe(204);
    expect(await people.me(headers)).toBe(401);
  });

  it('restricts the sessions of who turns his off, and lets him enrol another one', async () => {
    await requireIt(app.admin, true);
    const { email, headers } = await restrictedPerson();
    const secret = await enrol(headers);
    expect(await people.login(email)).toMatchObject({ body: { code: 'second-factor-required' } });
    const code = codeOf(secret, 1);
    const proof = { current_password: PASSWORD, code };
    expect((await people.send('POST', '/v1/account/totp/disable', headers, proof)).status).toBe(204);
    expect(await search(headers)).toMatchObject(refused);
    await enrol(headers);
    expect((await search(headers)).status).toBe(200);
  });

  describe('of who comes by a provider', () => {
    beforeAll(() => requireIt(app.admin, true));

    it.each([{ amr: ['pwd', 'mfa'] }, { acr: 'urn:example:strong' }])(
      'asks for nothing when the provider says that he showed one: %j',
      async (says) => {
        const { status, body } = await ssoLogin(`${randomUUID()}@example.com`, says);
        expect(status).toBe(200);
        expect((await search(bearer(body.access_token))).status).toBe(200);
      },
    );

    it.each([{}, { amr: 'mfa' }, { amr: ['pwd', 'mfa2'] }, { acr: ['mfa'] }, { acr: '1', mfa: true }])(
      'has him enrol one when it does not, at once, without the password that he does not have: %j',
      async (says) => {
        const email = `${randomUUID()}@example.com`;
        const headers = bearer((await ssoLogin(email, says)).body.access_token);
        expect(await search(headers)).toMatchObject(refused);
        const secret = await enrol(headers, {});
        expect((await search(headers)).status).toBe(200);
        // From then on he is asked for it.
        const again = await ssoLogin(email, says);
        expect(again).toMatchObject({ status: 401, body: { code: 'second-factor-required' } });
        const { body } = await second(again.body.challenge, codeOf(secret, 1));
        expect((await search(bearer(body.access_token))).status).toBe(200);
      },
    );

    it('wants a fresh login from who has no password, and the password from who has one', async () => {
      const failed = { status: 403, body: { code: 'reauthentication-failed' } };
      const email = `${randomUUID()}@example.com`;
      const old = bearer((await ssoLogin(email)).body.access_token);
      const { rowCount } = await app.db.owner.query(
        `update session s set created_at = now() - interval '11 minutes' from app_user u
         where u.id = s.user_id and u.email = $1`,
        [email],
      );
      expect(rowCount).toBe(1);
      expect(await begin(old, {})).toMatchObject(failed);
      const withPassword = await people.person('member', app.admin);
      expect(await begin(withPassword.headers, {})).toMatchObject(failed);
      const key = await people.send('POST', '/v1/api-keys', app.admin, { name: 'x' });
      expect(await begin(bearer(key.body.key), {})).toMatchObject({ body: { code: 'session-required' } });
    });
  });
});
