import { mailsOf, mailTo } from '../support/mail-folder.js';
import { peopleOf, PASSWORD } from '../support/people.js';
import { testApp, type TestApp } from '../support/test-app.js';

const ANOTHER = 'nineteen green kettles';

describe('passwords over HTTP', () => {
  let app: TestApp;
  let people: ReturnType<typeof peopleOf>;
  beforeAll(async () => {
    app = await testApp({ MAIL_POLL_MS: '50', AUTH_NETWORK_LOGINS_PER_MINUTE: '1000' });
    people = peopleOf(app);
  });
  afterAll(() => app?.close());

  const change = (headers: Record<string, string>, current_password: string, new_password = ANOTHER) =>
    people.send('POST', '/v1/account/password', headers, { current_password, new_password });
  const forgot = (email: string) => people.send('POST', '/v1/auth/password/forgot', {}, { email });
  const reset = (token: string | undefined, new_password = ANOTHER) =>
    people.send('POST', '/v1/auth/password/reset', {}, { token, new_password });
  const refresh = (refresh_token: string) => people.send('POST', '/v1/auth/refresh', {}, { refresh_token });
  const resetMail = async (email: string, before = 0) =>
    (await mailTo(app, email, 'A new password', before)).token;
  const invalid = { status: 422, body: { code: 'one-time-token-invalid' } };

  describe('a change', () => {
    it('ends all other sessions and no API key, keeps this one, and tells by mail', async () => {
      const { email, headers } = await people.person();
      const elsewhere = await people.session(email);
      const { body } = await people.send('POST', '/v1/api-keys', headers, { name: 'k' });
      const key = { authorization: `Bearer ${body.key}` };
      expect((await change(headers, PASSWORD)).status).toBe(204);
      expect([await people.me(headers), await people.me(elsewhere.headers), await people.me(key)]).toEqual([
        200, 401, 200,
      ]);
      expect((await refresh(elsewhere.refreshToken)).status).toBe(401);
      expect((await people.login(email)).status).toBe(401);
      expect((await people.login(email, ANOTHER)).status).toBe(200);
      expect((await mailTo(app, email, 'was changed')).token).toBeUndefined();
    });

    it('needs the password of now, of which wrong ones count as failed logins', async () => {
      const { email, headers } = await people.person();
      const wrong = { status: 403, body: { code: 'reauthentication-failed' } };
      for (let i = 0; i < 5; i++) expect(await change(headers, 'a wrong guess')).toMatchObject(wrong);
      expect(await change(headers, PASSWORD)).toMatchObject({
        status: 429,
        body: { code: 'too-many-logins' },
      });
      expect((await people.login(email)).status).toBe(429);
    });

    it.each(['password123', 'Sunshine1', 'short'])('refuses %j', async (easy) => {
      const { headers } = await people.person();
      expect(await change(headers, PASSWORD, easy)).toMatchObject({
        status: 422,
        body: { code: 'password-refused' },
      });
    });

    it('is not for API keys', async () => {
      const { headers } = await people.person();
      const { body } = await people.send('POST', '/v1/api-keys', headers, { name: 'k' });
      expect(await change({ authorization: `Bearer ${body.key}` }, PASSWORD)).toMatchObject({
        status: 403,
        body: { code: 'session-required' },
      });
    });

    it('leaves one password of two changes at once, and that one works', async () => {
      const { email, headers } = await people.person();
      const [one, two] = await Promise.all([
        change(headers, PASSWORD, 'the first of two new ones'),
        change(headers, PASSWORD, 'the second of two new ones'),
      ]);
      expect([one.status, two.status].sort()).toEqual([204, 403]);
      const kept = one.status === 204 ? 'the first of two new ones' : 'the second of two new ones';
      expect((await people.login(email, kept)).status).toBe(200);
    });
  });

  describe('a reset', () => {
    it('gives a new password for a token from a mail, and ends all sessions', async () => {
      const { email, headers, refreshToken } = await people.person();
      expect(await forgot(email.toUpperCase())).toMatchObject({ status: 202, body: { accepted: true } });
      expect((await reset(await resetMail(email))).status).toBe(204);
      expect(await people.me(headers)).toBe(401);
      expect((await refresh(refreshToken)).status).toBe(401);
      expect((await people.login(email)).status).toBe(401);
      expect((await people.login(email, ANOTHER)).status).toBe(200);
      expect(await mailTo(app, email, 'was changed')).toBeDefined();
    });

    it('is answered the same for addresses that nobody has, also in time', async () => {
      const { email } = await people.person();
      const timed = async (to: string) => {
        const began = performance.now();
        const { status, body, headers } = await forgot(to);
        const told = [...headers.keys()].filter((name) => name !== 'x-request-id').sort();
        return { answer: { status, body, told }, ms: performance.now() - began };
      };
      const [known, unknown] = [await timed(email), await timed('nobody@example.com')];
      expect(unknown.answer).toEqual(known.answer);
      // Both wait for the same grid; by how much each is late on a busy machine says nothing.
      for (const { ms } of [known, unknown]) expect(ms).toBeGreaterThanOrEqual(249);
    });

    it('takes each token once, also from several at once, and none once another was used', async () => {
      const { email } = await people.person();
      await forgot(email);
      const first = await resetMail(email);
      await forgot(email);
      const second = await resetMail(email, 1);
      const answers = await Promise.all([reset(second), reset(second), reset(second)]);
      expect(answers.map(({ status }) => status).sort()).toEqual([204, 422, 422]);
      for (const token of [first, second]) expect(await reset(token)).toMatchObject(invalid);
    });

    it('takes no token after half an hour, and none that was made up', async () => {
      const { email, id } = await people.person();
      await forgot(email);
      const token = await resetMail(email);
      const { rows } = await app.db.owner.query(
        `select extract(epoch from expires_at - created_at)::int as life from password_reset where user_id = $1`,
        [id],
      );
      expect(rows).toEqual([{ life: 1_800 }]);
      await app.db.owner.query(`update password_reset set expires_at = now() where user_id = $1`, [id]);
      expect(await reset(token)).toMatchObject(invalid);
      expect(await reset('x'.repeat(43))).toMatchObject(invalid);
    });

    it('keeps the token for a better password when the first one is refused', async () => {
      const { email } = await people.person();
      await forgot(email);
      const token = await resetMail(email);
      expect(await reset(token, 'password123')).toMatchObject({ body: { code: 'password-refused' } });
      expect((await reset(token)).status).toBe(204);
    });

    it('sends three mails an hour to one address, and none to who is suspended', async () => {
      const { email, id } = await people.person();
      const other = await people.person();
      for (let i = 0; i < 5; i++) expect((await forgot(email)).status).toBe(202);
      await people.send('PATCH', `/v1/users/${id}`, app.admin, { suspended: true });
      await app.db.owner.query('delete from password_reset');
      expect((await forgot(email)).status).toBe(202);
      await forgot(other.email);
      await resetMail(other.email);
      const mails = await mailsOf(app);
      expect(mails.filter(({ to, subject }) => to === email && subject.startsWith('A new'))).toHaveLength(3);
    });

    it('is in the log of the tenant, without address or token', async () => {
      const { email, id } = await people.person();
      await forgot(email);
      const token = (await resetMail(email))!;
      await reset(token);
      const { body } = await people.send(
        'GET',
        `/v1/audit/events?target_id=${id}&action=password.*`,
        app.admin,
      );
      expect(body.items).toMatchObject([
        { action: 'password.reset', outcome: 'success', actor: { type: 'anonymous' } },
        { action: 'password.request-reset', outcome: 'success', detail: { mailed: true } },
      ]);
      const everything = JSON.stringify((await app.db.owner.query('select * from audit_event')).rows);
      expect(everything).not.toContain(token);
      expect(everything).not.toContain(email);
    });
  });

  it('are guessed slowly, and a lock never keeps their owner out for long', async () => {
    const { email } = await people.person();
    for (let i = 0; i < 5; i++) expect((await people.login(email, 'a wrong guess')).status).toBe(401);
    const refused = await people.login(email);
    expect(refused).toMatchObject({ status: 429, body: { code: 'too-many-logins' } });
    expect(Number(refused.headers.get('retry-after'))).toBeLessThanOrEqual(12);
    // Whatever others did from his own network: who gets his mails is he.
    await forgot(email);
    expect((await reset(await resetMail(email))).status).toBe(204);
    expect((await people.login(email, ANOTHER)).status).toBe(200);
  });
});
