import { join } from 'node:path';
import type { Provider } from '@nestjs/common';
import { SealingKey } from '#libs/secrets';
import { FileTransport } from './file.transport.js';
import { type MailConfig, mailSection } from './mail.config.js';
import { MailDispatcher } from './mail-dispatcher.js';
import { MailOutbox } from './mail-outbox.js';
import { MailTransport } from './mail-transport.js';
import { Mails } from './mails.js';
import { SmtpTransport } from './smtp.transport.js';

const FOLDER = 'mail';

/** The outbox and what empties it, in every role: whichever process is there sends. */
export const MAIL_PROVIDERS: Provider[] = [
  {
    provide: MailOutbox,
    useFactory: (sealing: SealingKey) => new MailOutbox(sealing),
    inject: [SealingKey],
  },
  {
    provide: Mails,
    useFactory: ({ linkBase }: MailConfig) => new Mails(linkBase),
    inject: [mailSection.token],
  },
  {
    provide: MailTransport,
    useFactory: (config: MailConfig, dataDir: string) =>
      config.transport === 'smtp'
        ? new SmtpTransport(config)
        : new FileTransport(join(dataDir, FOLDER), config.from),
    inject: [mailSection.token, 'DATA_DIR'],
  },
  MailDispatcher,
];
