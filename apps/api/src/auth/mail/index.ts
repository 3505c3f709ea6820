export { mailSection, type MailConfig } from './mail.config.js';
export { MAIL_PROVIDERS } from './mail.providers.js';
export { MailOutbox } from './mail-outbox.js';
export { MailTransport } from './mail-transport.js';
export { Mails } from './mails.js';
