import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FatalFailure, Overloaded, TransientFailure } from '#libs/errors';
import { PolicyRegistry } from '#libs/resilience';
import { SealingKey } from '#libs/secrets';
import { MailDispatcher } from '../../apps/api/src/auth/mail/mail-dispatcher.js';
import { MailOutbox } from '../../apps/api/src/auth/mail/mail-outbox.js';
import { MailRefused, type MailTransport } from '../../apps/api/src/auth/mail/mail-transport.js';
import { SmtpTransport } from '../../apps/api/src/auth/mail/smtp.transport.js';
import { type FakeMailServer, fakeMailServer } from '../support/fake-mail-server.js';
import { selfSigned } from '../support/self-signed.js';
import { testDatabase, type TestDatabase } from '../support/test-database.js';

const MAIL = {
  id: randomUUID(),
  to: 'ann@example.com',
  subject: 'A subject',
  text: 'Grüße,\nwith a token\n',
};

describe('mails to a mail server', () => {
  const tls = selfSigned();
  let folder: string;
  let caFile: string;
  const servers: FakeMailServer[] = [];
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'smtp-'));
    caFile = join(folder, 'ca.pem');
    await writeFile(caFile, tls.cert);
  });
  afterAll(async () => {
    await Promise.all(servers.map((server) => server.close()));
    await rm(folder, { recursive: true, force: true });
  });

  async function server(options: Parameters<typeof fakeMailServer>[1] = {}) {
    const started = await fakeMailServer(tls, options);
    servers.push(started);
    return started;
  }
  const transport = (port: number, settings: object = {}) =>
    new SmtpTransport({
      from: 'navigator@example.com',
      smtpHost: 'localhost',
      smtpPort: port,
      smtpSecurity: 'starttls',
      smtpCaFile: caFile,
      ...settings,
    });
  const { signal } = new AbortController();

  it('go over STARTTLS as whom we log in, with an id that stays the same', async () => {
    const { port, received } = await server({
      authOptional: false,
      onAuth: ({ username, password }, _, done) =>
        password === 'secret' ? done(null, { user: username }) : done(new Error('no')),
    });
    const sender = transport(port, { smtpUser: 'navigator', smtpPassword: 'secret' });
    await sender.send(MAIL, signal);
    await sender.send(MAIL, signal);
    expect(received).toHaveLength(2);
    expect(received[0]).toMatchObject({
      from: 'navigator@example.com',
      to: ['ann@example.com'],
      secure: true,
      user: 'navigator',
    });
    for (const { raw } of received) {
      expect(raw).toContain(`Message-ID: <${MAIL.id}@example.com>`);
      expect(raw).toContain('Subject: A subject');
      expect(raw).toMatch(/Gr=C3=BC=C3=9Fe|R3LDvMOfZS/);
    }
    const stranger = transport(port, { smtpUser: 'navigator', smtpPassword: 'wrong' });
    await expect(stranger.send(MAIL, signal)).rejects.toBeInstanceOf(FatalFailure);
  });

  it('go over TLS from the first byte where the server wants it so', async () => {
    const { port, received } = await server({ secure: true });
    await transport(port, { smtpSecurity: 'tls' }).send(MAIL, signal);
    expect(received).toMatchObject([{ secure: true }]);
  });

  it.each([
    ['has no TLS', { hideSTARTTLS: true, disabledCommands: ['STARTTLS'] }, {}],
    ['has a certificate of an authority that nobody knows', {}, { smtpCaFile: undefined }],
  ])('do not go to a server that %s', async (_, options, settings) => {
    const { port, received } = await server(options);
    await expect(transport(port, settings).send(MAIL, signal)).rejects.toBeInstanceOf(TransientFailure);
    expect(received).toEqual([]);
  });

  it('go in clear where that is configured', async () => {
    const { port, received } = await server({ hideSTARTTLS: true, disabledCommands: ['STARTTLS'] });
    await transport(port, { smtpSecurity: 'none' }).send(MAIL, signal);
    expect(received).toMatchObject([{ secure: false }]);
  });

  it.each([
    [550, MailRefused],
    [451, Overloaded],
    [421, Overloaded],
  ])('answered with %i fail as what that means, without a word about the address', async (code, type) => {
    const { port } = await server({
      onRcptTo: ({ address }, _, done) =>
        done(Object.assign(new Error(`${address} is not wanted`), { responseCode: code })),
    });
    const failure = await transport(port)
      .send(MAIL, signal)
      .catch((error: unknown) => error as Error);
    expect(failure).toBeInstanceOf(type);
    expect((failure as Error).message).not.toContain('ann@');
  });

  it('fail at once when nobody listens, and when they are called off', async () => {
    const nobody = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => nobody.once('listening', resolve));
    const { port } = nobody.address() as AddressInfo;
    await new Promise((resolve) => nobody.close(resolve));
    await expect(transport(port).send(MAIL, signal)).rejects.toBeInstanceOf(FatalFailure);

    const reached = Promise.withResolvers<void>();
    const silent = await server({ onConnect: () => reached.resolve() });
    const stop = new AbortController();
    const sending = transport(silent.port).send(MAIL, stop.signal);
    await reached.promise;
    stop.abort(new Error('stopping'));
    await expect(sending).rejects.toThrow('stopping');
  });

  describe('from the outbox', () => {
    let db: TestDatabase;
    let tenantId: string;
    const outbox = new MailOutbox(new SealingKey(Buffer.alloc(32, 3)));
    beforeAll(async () => {
      db = await testDatabase();
      ({ tenantId } = await db.createTenant());
    });
    afterAll(() => db.close());
    afterEach(() => db.owner.query('delete from mail_outbox'));

    const dispatcher = (to: MailTransport) => {
      const policies = new PolicyRegistry();
      policies.define('mail', { attemptTimeoutMs: 5_000 });
      return new MailDispatcher(db.tenantDb, outbox, to, policies, { pollMs: 60_000 });
    };
    const put = (to: string, lifeSeconds = 60) =>
      db.tenantDb.run(tenantId, (tx) =>
        outbox.add(tx, tenantId, { kind: 'test', to, subject: 'x', text: 'y\n' }, lifeSeconds),
      );
    const waiting = async () =>
      (await db.owner.query('select attempts, next_attempt_at > now() as later from mail_outbox')).rows;

    it('are sent once by two processes together, and are gone then', async () => {
      const { port, received } = await server();
      for (let i = 0; i < 10; i++) await put(`user${i}@example.com`);
      const [one, two] = [dispatcher(transport(port)), dispatcher(transport(port))];
      await Promise.all([one.sendDue(), two.sendDue()]);
      expect(received.map(({ to }) => to[0]).sort()).toEqual(
        Array.from({ length: 10 }, (_, i) => `user${i}@example.com`),
      );
      expect(await waiting()).toEqual([]);
    });

    it('wait for a server that is away, and are sent when it is back', async () => {
      let isAway = true;
      const { port, received } = await server({
        onRcptTo: (_, __, done) =>
          isAway ? done(Object.assign(new Error('later'), { responseCode: 451 })) : done(),
      });
      await put('ann@example.com');
      const sender = dispatcher(transport(port));
      expect(await sender.sendDue()).toBe(1);
      expect(await waiting()).toEqual([{ attempts: 1, later: true }]);
      expect(await sender.sendDue()).toBe(0);
      isAway = false;
      await db.owner.query('update mail_outbox set next_attempt_at = now()');
      expect(await sender.sendDue()).toBe(1);
      expect(received).toHaveLength(1);
      expect(await waiting()).toEqual([]);
    });

    it('are not sent when what they say is no longer so, nor kept when they are refused', async () => {
      const { port, received } = await server({
        onRcptTo: ({ address }, _, done) =>
          address.startsWith('gone')
            ? done(Object.assign(new Error('no such user'), { responseCode: 550 }))
            : done(),
      });
      await put('late@example.com', 0);
      await put('gone@example.com');
      await put('ann@example.com');
      expect(await dispatcher(transport(port)).sendDue()).toBe(2);
      expect(received.map(({ to }) => to)).toEqual([['ann@example.com']]);
      expect(await waiting()).toEqual([]);
    });

    it('are not written when the change that they tell of is not', async () => {
      const failing = db.tenantDb.run(tenantId, async (tx) => {
        await outbox.add(tx, tenantId, { kind: 'test', to: 'a@b.c', subject: 'x', text: 'y' }, 60);
        throw new Error('no change');
      });
      await expect(failing).rejects.toThrow('no change');
      expect(await waiting()).toEqual([]);
    });
  });
});
