import { Secret, TOTP } from 'otpauth';
import { mailTo } from '../support/mail-folder.js';
import { bearer, PASSWORD, peopleOf } from '../support/people.js';
import { testApp, type TestApp } from '../support/test-app.js';

const STEP_MS = 30_000;

describe('two-step login over HTTP', () => {
  let app: TestApp;
  let people: ReturnType<typeof peopleOf>;
  beforeAll(async () => {
    app = await testApp({ MAIL_POLL_MS: '50', AUTH_NETWORK_LOGINS_PER_MINUTE: '1000' });
    people = peopleOf(app);
  });
  afterAll(() => app?.close());

  type Headers = Record<string, string>;
  const begin = (headers: Headers, current_password = PASSWORD) =>
    people.send('POST', '/v1/account/totp', headers, { current_password });
  const confirm = (headers: Headers, code: string) =>
    people.send('POST', '/v1/account/totp/confirm', headers, { code });
  const second = (challenge: string, code: string) =>
    people.send('POST', '/v1/auth/login/second-factor', {}, { challenge, code });
  const challengeFor = async (email: string, password = PASSWORD) => {
    const { status, body } = await people.login(email, password);
    expect({ status, code: body.code }).toEqual({ status: 401, code: 'second-factor-required' });
    expect(body.expires_in).toBe(300);
    return body.challenge as string;
  };
  /** The code of so many steps from now. */
  const codeOf = (secret: string, steps = 0) =>
    new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: Date.now() + steps * STEP_MS });
  const wrong = { status: 401, body: { code: 'second-factor-invalid' } };

  /** Somebody who has turned it on. The code of now is used up by that; the one of the next step is not. */
  async function enrolled(role = 'member') {
    const person = await people.person(role);
    const { secret } = (await begin(person.headers)).body;
    const used = codeOf(secret);
    const { status, body } = await confirm(person.headers, used);
    expect(status).toBe(200);
    return { ...person, used, secret: secret as string, recovery: body.recovery_codes as string[] };
  }

  it('is turned on with a secret for a program and a first code, and tells by mail', async () => {
    const { email, headers } = await people.person();
    const begun = await begin(headers);
    expect(begun.status).toBe(200);
    const uri = new URL(begun.body.otpauth_uri);
    expect(uri.searchParams.get('secret')).toBe(begun.body.secret);
    // Not before it is confirmed.
    expect((await people.login(email)).status).toBe(200);
    expect(await confirm(headers, '000000')).toMatchObject({
      status: 403,
      body: { code: 'reauthentication-failed' },
    });
    const { body } = await confirm(headers, codeOf(begun.body.secret));
    expect(new Set(body.recovery_codes).size).toBe(10);
    const state = await people.send('GET', '/v1/account/totp', headers);
    expect(state.body).toEqual({ enabled: true, recovery_codes_left: 10 });
    expect(await mailTo(app, email, 'turned on')).toBeDefined();
    expect(await begin(headers)).toMatchObject({ status: 409, body: { code: 'second-factor-enabled' } });
  });

  it('asks for a code after the password, and takes each code once', async () => {
    const { email, secret, used } = await enrolled();
    const challenge = await challengeFor(email);
    expect(await second(challenge, used)).toMatchObject(wrong);
    const code = codeOf(secret, 1);
    const { status, body } = await second(challenge, code);
    expect(status).toBe(200);
    expect(await people.me(bearer(body.access_token))).toBe(200);
    expect(await second(await challengeFor(email), code)).toMatchObject(wrong);
  });

  it('takes one of several equal codes that come at once', async () => {
    const { email, secret } = await enrolled();
    const challenge = await challengeFor(email);
    const code = codeOf(secret, 1);
    const answers = await Promise.all(Array.from({ length: 4 }, () => second(challenge, code)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  it('takes each recovery code once, however it is typed, and makes new ones', async () => {
    const { email, headers, recovery } = await enrolled();
    const [one, two, three] = recovery as [string, string, string];
    const typed = ` ${one.toLowerCase().replaceAll('-', ' ')}`;
    expect((await second(await challengeFor(email), typed)).status).toBe(200);
    expect(await second(await challengeFor(email), one)).toMatchObject(wrong);
    const renewed = await people.send('POST', '/v1/account/totp/recovery-codes', headers, {
      current_password: PASSWORD,
      code: two,
    });
    expect(renewed.body.recovery_codes).toHaveLength(10);
    expect(await second(await challengeFor(email), three)).toMatchObject(wrong);
    expect((await second(await challengeFor(email), renewed.body.recovery_codes[0])).status).toBe(200);
    const { body } = await people.send('GET', '/v1/account/totp', headers);
    expect(body).toEqual({ enabled: true, recovery_codes_left: 9 });
  });

  it('takes no challenge that was made up, and none of the password before', async () => {
    const { email, headers, secret } = await enrolled();
    const before = await challengeFor(email);
    const invalid = { status: 401, body: { code: 'challenge-invalid' } };
    expect(await second('x'.repeat(100), codeOf(secret, 1))).toMatchObject(invalid);
    const changed = await people.send('POST', '/v1/account/password', headers, {
      current_password: PASSWORD,
      new_password: 'nineteen green kettles',
    });
    expect(changed.status).toBe(204);
    expect(await second(before, codeOf(secret, 1))).toMatchObject(invalid);
    const after = await challengeFor(email, 'nineteen green kettles');
    expect((await second(after, codeOf(secret, 1))).status).toBe(200);
  });

  it('slows guessing of codes down, by account and network', async () => {
    const { email, secret } = await enrolled();
    const challenge = await challengeFor(email);
    for (let i = 0; i < 5; i++) expect(await second(challenge, '000000')).toMatchObject(wrong);
    expect(await second(challenge, codeOf(secret, 1))).toMatchObject({
      status: 429,
      body: { code: 'too-many-logins' },
    });
  });

  it('is turned off with the password and a code only', async () => {
    const { email, headers, secret, recovery } = await enrolled();
    const disable = (current_password: string, code: string) =>
      people.send('POST', '/v1/account/totp/disable', headers, { current_password, code });
    const refused = { status: 403, body: { code: 'reauthentication-failed' } };
    expect(await disable('wrong words', codeOf(secret, 1))).toMatchObject(refused);
    expect(await disable(PASSWORD, '000000')).toMatchObject(refused);
    expect((await disable(PASSWORD, recovery[0]!)).status).toBe(204);
    expect((await people.login(email)).status).toBe(200);
    expect(await mailTo(app, email, 'turned off')).toBeDefined();
  });

  it('is turned off by an administrator for who has lost everything, and his sessions end', async () => {
    const { id, email, headers } = await enrolled();
    const { headers: colleague } = await people.person();
    const path = `/v1/users/${id}/totp`;
    expect((await people.send('DELETE', path, colleague)).status).toBe(403);
    const shown = await people.send('GET', `/v1/users/${id}`, app.admin);
    expect(shown.body.second_factor).toBe(true);
    expect((await people.send('DELETE', path, app.admin)).status).toBe(204);
    expect(await people.me(headers)).toBe(401);
    expect((await people.login(email)).status).toBe(200);
  });

  it('is not turned off by an administrator for himself: that needs his password and a code', async () => {
    const { id, headers } = await enrolled('admin');
    const own = await people.send('DELETE', `/v1/users/${id}/totp`, headers);
    expect(own).toMatchObject({ status: 409, body: { code: 'own-second-factor' } });
    expect((await people.send('GET', '/v1/account/totp', headers)).body.enabled).toBe(true);
  });

  it('survives a new password by mail: who reads mails does not have the codes', async () => {
    const { email } = await enrolled();
    await people.send('POST', '/v1/auth/password/forgot', {}, { email });
    const { token } = await mailTo(app, email, 'A new password');
    const body = { token, new_password: 'nineteen green kettles' };
    expect((await people.send('POST', '/v1/auth/password/reset', {}, body)).status).toBe(204);
    await challengeFor(email, 'nineteen green kettles');
  });

  it('leaves secrets and codes nowhere in the clear', async () => {
    const { email, secret, recovery } = await enrolled();
    await second(await challengeFor(email), recovery[0]!);
    for (const table of ['user_totp', 'recovery_code', 'audit_event', 'idempotent_request']) {
      const { rows } = await app.db.owner.query(`select to_jsonb(t)::text as text from ${table} t`);
      const text = rows.map((row) => row.text).join('\n');
      expect(text).not.toContain(secret);
      for (const code of recovery) expect(text).not.toContain(code);
    }
    const { rows } = await app.db.owner.query(
      `select outcome, reason, actor_type, detail from audit_event
       where action in ('auth.login', 'auth.second-factor') order by occurred_at desc limit 2`,
    );
    expect(rows).toMatchObject([
      { outcome: 'success', actor_type: 'user', detail: { factor: 'recovery-code' } },
      { outcome: 'denied', reason: 'second-factor-required', actor_type: 'anonymous' },
    ]);
  });
});
