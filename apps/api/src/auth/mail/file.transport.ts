import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MailTransport, type OutgoingMail } from './mail-transport.js';

/** Puts mails into a folder, one file each, for development and for installations without a mail server. */
export class FileTransport extends MailTransport {
  constructor(
    private readonly folder: string,
    private readonly from: string,
  ) {
    super();
  }

  override async send(mail: OutgoingMail): Promise<void> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    const draft = join(this.folder, `.${mail.id}`);
    await writeFile(draft, this.compose(mail), { mode: 0o600 });
    // By id, so that a mail that is tried again takes its own place; ids grow with time.
    await rename(draft, join(this.folder, `${mail.id}.eml`));
  }

  override async forget(address: string): Promise<void> {
    const names = await readdir(this.folder).catch(() => []);
    for (const name of names) {
      const path = join(this.folder, name);
      const text = await readFile(path, 'utf8').catch(() => '');
      if (text.includes(`\r\nTo: ${address}\r\n`)) await rm(path, { force: true });
    }
  }

  private compose({ id, to, subject, text }: OutgoingMail): string {
    const headers = [
      `From: ${this.from}`,
      `To: ${to}`,
      `Subject: ${subject}`,
      `Date: ${new Date().toUTCString().replace('GMT', '+0000')}`,
      `Message-ID: <${id}@${this.from.split('@')[1]}>`,
      'MIME-Version: 1.0',
      'Content-Type: text/plain; charset=utf-8',
      'Content-Transfer-Encoding: 8bit',
    ];
    return `${headers.join('\r\n')}\r\n\r\n${text.replaceAll('\n', '\r\n')}`;
  }
}
