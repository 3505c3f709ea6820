import { randomUUID } from 'node:crypto';
import { mailsOf, mailTo } from '../support/mail-folder.js';
import { bearer, PASSWORD, peopleOf } from '../support/people.js';
import { ADMIN, testApp, type TestApp } from '../support/test-app.js';

const SETTINGS = { MAIL_POLL_MS: '50', AUTH_NETWORK_LOGINS_PER_MINUTE: '1000' };

describe('joining over HTTP', () => {
  let app: TestApp;
  let people: ReturnType<typeof peopleOf>;
  beforeAll(async () => {
    app = await testApp({ ...SETTINGS, SIGNUP: 'on', MAIL_LINK_BASE: 'https://console.example.com/' });
    people = peopleOf(app);
  });
  afterAll(() => app?.close());

  const address = () => `${randomUUID()}@example.com`;
  const invite = (email: string, role = 'member') =>
    people.send('POST', '/v1/invitations', app.admin, { email, role });
  const accept = (token: string | undefined, password = PASSWORD) =>
    people.send('POST', '/v1/auth/invitations/accept', {}, { token, password });
  const invitationTo = async (email: string, before = 0) =>
    (await mailTo(app, email, 'invited', before)).token;
  const invalid = { status: 422, body: { code: 'one-time-token-invalid' } };

  describe('an invitation', () => {
    it('arrives with a link, and makes an account of the role that was meant', async () => {
      const email = address();
      const invited = await invite(email.toUpperCase(), 'manager');
      expect(invited).toMatchObject({ status: 201, body: { email, role: 'manager', state: 'open' } });
      expect(invited.headers.get('cache-control')).toBe('no-store');
      const mail = await mailTo(app, email, 'invited to default');
      expect(mail.text).toContain('https://console.example.com/invitation#token=');
      const accepted = await accept(mail.token);
      expect(accepted).toMatchObject({ status: 201, body: { email, role: 'manager' } });
      const { body } = await people.login(email);
      const me = await people.send('GET', '/v1/me', bearer(body.access_token));
      expect(me.body).toMatchObject({ id: accepted.body.id, tenant: { name: 'default' }, role: 'manager' });
    });

    it('is good once, also for two who are equally fast', async () => {
      const email = address();
      await invite(email);
      const token = await invitationTo(email);
      const answers = await Promise.all([accept(token), accept(token), accept(token)]);
      expect(answers.map(({ status }) => status).sort()).toEqual([201, 422, 422]);
      expect(await accept(token)).toMatchObject(invalid);
    });

    it('is void once who made it may not make it any more, until somebody who may sends it again', async () => {
      const inviter = await people.person('admin');
      const email = address();
      const { body } = await people.send('POST', '/v1/invitations', inviter.headers, {
        email,
        role: 'admin',
      });
      const token = await invitationTo(email);
      for (const change of [{ suspended: true }, { suspended: false, role: 'manager' }]) {
        expect((await people.send('PATCH', `/v1/users/${inviter.id}`, app.admin, change)).status).toBe(200);
        expect(await accept(token)).toMatchObject(invalid);
      }
      expect((await people.send('POST', `/v1/invitations/${body.id}/resend`, app.admin)).status).toBe(200);
      expect(await accept(await invitationTo(email, 1))).toMatchObject({
        status: 201,
        body: { role: 'admin' },
      });
    });

    it('is not used up by a password that is refused', async () => {
      const email = address();
      await invite(email);
      const token = await invitationTo(email);
      for (const password of ['short', 'password123', email])
        expect(await accept(token, password)).toMatchObject({
          status: 422,
          body: { code: 'password-refused' },
        });
      expect((await accept(token)).status).toBe(201);
    });

    it('is sent again with another token, revoked, and expires; then no token is good', async () => {
      const email = address();
      const { body } = await invite(email);
      const first = await invitationTo(email);
      expect((await people.send('POST', `/v1/invitations/${body.id}/resend`, app.admin)).status).toBe(200);
      const second = await invitationTo(email, 1);
      expect(second).not.toBe(first);
      expect(await accept(first)).toMatchObject(invalid);
      await app.db.owner.query(`update invitation set expires_at = now() where id = $1`, [body.id]);
      expect(await accept(second)).toMatchObject(invalid);
      await people.send('POST', `/v1/invitations/${body.id}/resend`, app.admin);
      const third = await invitationTo(email, 2);
      for (let i = 0; i < 2; i++)
        expect((await people.send('DELETE', `/v1/invitations/${body.id}`, app.admin)).status).toBe(204);
      expect(await accept(third)).toMatchObject(invalid);
      const again = await people.send('POST', `/v1/invitations/${body.id}/resend`, app.admin);
      expect(again).toMatchObject({ status: 409, body: { code: 'invitation-closed' } });
    });

    it('is one for each address while it is open, and shown to administrators in its state', async () => {
      const email = address();
      const { body } = await invite(email);
      expect(await invite(email)).toMatchObject({ status: 409, body: { code: 'invitation-pending' } });
      await app.db.owner.query(`update invitation set expires_at = now() where id = $1`, [body.id]);
      expect((await invite(email)).status).toBe(201);
      const { body: list } = await people.send('GET', '/v1/invitations?limit=100', app.admin);
      const states = list.items
        .filter((item: { email: string }) => item.email === email)
        .map((item: { state: string }) => item.state);
      expect(states).toEqual(['open', 'revoked']);
    });

    it('says nothing to who invites about an address that has an account elsewhere', async () => {
      const { email } = await people.person();
      expect((await invite(email)).status).toBe(201);
      const token = await invitationTo(email, 1);
      expect(await accept(token)).toMatchObject({ status: 409, body: { code: 'address-taken' } });
    });

    it('is stored as a digest, its mail sealed, and neither token nor address is in the log', async () => {
      const email = address();
      await invite(email);
      const token = (await invitationTo(email))!;
      await accept(token);
      for (const table of ['invitation', 'mail_outbox', 'audit_event']) {
        const rows = JSON.stringify((await app.db.owner.query(`select * from ${table}`)).rows);
        expect(rows).not.toContain(token);
        if (table !== 'invitation') expect(rows).not.toContain(email);
      }
      const { rows } = await app.db.owner.query(
        `select action, outcome, actor_type from audit_event where action like 'invitation.%' order by occurred_at desc limit 2`,
      );
      expect(rows).toEqual([
        { action: 'invitation.accept', outcome: 'success', actor_type: 'anonymous' },
        { action: 'invitation.create', outcome: 'success', actor_type: 'user' },
      ]);
    });

    it('is made once by a request that is repeated with its key', async () => {
      const headers = { ...app.admin, 'idempotency-key': randomUUID() };
      const email = address();
      const [one, two] = [
        await people.send('POST', '/v1/invitations', headers, { email }),
        await people.send('POST', '/v1/invitations', headers, { email }),
      ];
      expect([one.status, two.status]).toEqual([201, 201]);
      expect(two.body).toEqual(one.body);
    });
  });

  describe('signing up', () => {
    const request = (email: string) => people.send('POST', '/v1/auth/sign-up', {}, { email });
    const complete = (token: string | undefined, tenant_name = `t-${randomUUID()}`) =>
      people.send('POST', '/v1/auth/sign-up/complete', {}, { token, password: PASSWORD, tenant_name });

    it('sends three mails an hour to one address, however many ask at once', async () => {
      const email = address();
      const asked = await Promise.all(Array.from({ length: 8 }, () => request(email)));
      expect(new Set(asked.map(({ status }) => status))).toEqual(new Set([202]));
      const { rows } = await app.db.owner.query('select from sign_up where email = $1', [email]);
      expect(rows).toHaveLength(3);
    });

    it('makes a tenant of one’s own after the address was shown to be one’s own', async () => {
      const email = address();
      expect(await request(email)).toMatchObject({ status: 202, body: { accepted: true } });
      const token = (await mailTo(app, email, 'Confirm')).token;
      const taken = await complete(token, 'default');
      expect(taken).toMatchObject({ status: 409, body: { code: 'tenant-exists' } });
      const done = await complete(token);
      expect(done).toMatchObject({ status: 201, body: { email, role: 'admin' } });
      expect(await complete(token)).toMatchObject(invalid);
      const { headers } = await people.session(email);
      const users = await people.send('GET', '/v1/users', headers);
      expect(users.body.items).toHaveLength(1);
    });

    it('answers the same for an address that is known, whose owner alone is told', async () => {
      const [known, unknown] = [await request(ADMIN.email), await request(address())];
      expect([known.status, known.body]).toEqual([unknown.status, unknown.body]);
      const mail = await mailTo(app, ADMIN.email, 'You have an account');
      expect(mail.token).toBeUndefined();
    });

    it('makes one tenant of one token, however many present it at once', async () => {
      const email = address();
      await request(email);
      const token = (await mailTo(app, email, 'Confirm')).token;
      const answers = await Promise.all(Array.from({ length: 4 }, () => complete(token)));
      expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
      const { rows } = await app.db.owner.query(
        `select count(*)::int as count from app_user where email = $1`,
        [email],
      );
      expect(rows[0].count).toBe(1);
    });

    it('sends nobody more than three mails an hour', async () => {
      const email = address();
      for (let i = 0; i < 5; i++) expect((await request(email)).status).toBe(202);
      const last = address();
      await request(last);
      await mailTo(app, last, 'Confirm');
      expect((await mailsOf(app)).filter(({ to }) => to === email)).toHaveLength(3);
    });
  });
});

describe('an installation as it comes', () => {
  it('lets nobody sign up', async () => {
    const app = await testApp(SETTINGS);
    try {
      const people = peopleOf(app);
      const email = 'somebody@example.com';
      const off = { status: 403, body: { code: 'sign-up-off' } };
      expect(await people.send('POST', '/v1/auth/sign-up', {}, { email })).toMatchObject(off);
      const complete = { token: 'x', password: PASSWORD, tenant_name: 'mine' };
      expect(await people.send('POST', '/v1/auth/sign-up/complete', {}, complete)).toMatchObject(off);
    } finally {
      await app.close();
    }
  });
});
