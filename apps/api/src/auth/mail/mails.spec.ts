import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FileTransport } from './file.transport.js';
import { Mails } from './mails.js';

const TO = 'ann@example.com';
const token = 'a'.repeat(43);

describe('the words of mails', () => {
  const all = (mails: Mails) => [
    mails.invitation(TO, { tenantName: 'acme', token, lifeSeconds: 604_800 }),
    mails.signUp(TO, { token, lifeSeconds: 3_600 }),
    mails.signUpOfKnown(TO),
    mails.passwordReset(TO, { token, lifeSeconds: 1_800 }),
    mails.passwordChanged(TO),
    mails.secondFactorChanged(TO, { enabled: true }),
  ];

  it('have a subject of ASCII in one line, and each its own kind', () => {
    const mails = all(new Mails());
    expect(new Set(mails.map(({ kind }) => kind)).size).toBe(mails.length);
    for (const { to, subject, text } of mails) {
      expect(to).toBe(TO);
      expect(subject).toMatch(/^[\x20-\x7e]+$/);
      expect(text).toMatch(/\n$/);
    }
  });

  it('hold the token behind the # of a link where there is a console', () => {
    const [invitation, signUp, , reset] = all(new Mails('https://app.example.com/'));
    expect(invitation!.text).toContain(`https://app.example.com/invitation#token=${token}\n`);
    expect(signUp!.text).toContain(`https://app.example.com/sign-up#token=${token}\n`);
    expect(reset!.text).toContain(`https://app.example.com/password-reset#token=${token}\n`);
  });

  it('hold the token and the route that takes it where there is none', () => {
    const [invitation] = all(new Mails());
    expect(invitation!.text).toContain(`POST /v1/auth/invitations/accept:\n\n${token}\n`);
    expect(invitation!.text).not.toContain('http');
  });

  it('say for how long they are good', () => {
    const [invitation, signUp, , reset] = all(new Mails());
    expect(invitation!.text).toContain('7 days');
    expect(signUp!.text).toContain('60 minutes');
    expect(reset!.text).toContain('30 minutes');
  });

  it('hold no token where they only tell', () => {
    for (const { kind, text } of all(new Mails()))
      if (kind.endsWith('changed') || kind.endsWith('known')) expect(text).not.toContain(token);
  });
});

describe('mails into a folder', () => {
  it('are files that only their owner may read, one for each mail however often it is sent', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'mail-'));
    try {
      const transport = new FileTransport(join(folder, 'mail'), 'navigator@example.com');
      const mail = { id: '1', to: TO, subject: 'A subject', text: 'Grüße\nAnn\n' };
      await transport.send(mail);
      await transport.send(mail);
      expect(await readdir(join(folder, 'mail'))).toEqual(['1.eml']);
      const path = join(folder, 'mail', '1.eml');
      expect((await stat(path)).mode & 0o777).toBe(0o600);
      const raw = await readFile(path, 'utf8');
      expect(raw).toContain(`From: navigator@example.com\r\nTo: ${TO}\r\nSubject: A subject\r\n`);
      expect(raw).toContain('Message-ID: <1@example.com>\r\n');
      expect(raw.endsWith('\r\n\r\nGrüße\r\nAnn\r\n')).toBe(true);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
