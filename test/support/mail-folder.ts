import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually } from './operator.js';
import type { RunningApp } from './test-app.js';

export interface ReceivedMail {
  to: string;
  subject: string;
  text: string;
  /** Of the invitation, the sign-up or the reset; undefined where the mail has none. */
  token?: string;
}

/** The mails that a program with the file transport has sent, the first first. */
export async function mailsOf({ dataDir }: Pick<RunningApp, 'dataDir'>): Promise<ReceivedMail[]> {
  const folder = join(dataDir, 'mail');
  const names = await readdir(folder).catch(() => []);
  const files = names.filter((name) => name.endsWith('.eml')).sort();
  return Promise.all(files.map(async (name) => parse(await readFile(join(folder, name), 'utf8'))));
}

/** The newest mail to somebody, with this in its subject, after so many others of that kind. */
export async function mailTo(
  app: RunningApp,
  to: string,
  subject: string,
  before = 0,
): Promise<ReceivedMail> {
  const matching = async () =>
    (await mailsOf(app)).filter((mail) => mail.to === to && mail.subject.includes(subject));
  return (await eventually(matching, (mails) => mails.length > before)).at(-1)!;
}

function parse(raw: string): ReceivedMail {
  const [head = '', ...body] = raw.split('\r\n\r\n');
  const header = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(head)?.[1]?.trim() ?? '';
  const text = body.join('\n\n').replaceAll('\r\n', '\n');
  return {
    to: header('To'),
    subject: header('Subject'),
    text,
    token: /(?:^|#token=)([\w-]{43})$/m.exec(text)?.[1],
  };
}
