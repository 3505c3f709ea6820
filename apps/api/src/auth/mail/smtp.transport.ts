import { readFile } from 'node:fs/promises';
import { FatalFailure, Overloaded, TransientFailure } from '#libs/errors';
import type { MailConfig } from './mail.config.js';
import { MailRefused, MailTransport, type OutgoingMail } from './mail-transport.js';

/** No server that works is silent for longer. */
const SILENCE_MS = 15_000;
/** Service not available, too much mail: it asks to be left alone for a while. */
const BUSY = new Set([421, 450, 451, 452]);

/** Hands mails to a mail server, each over a connection of its own: they are few. */
export class SmtpTransport extends MailTransport {
  constructor(private readonly config: Omit<MailConfig, 'transport' | 'linkBase' | 'pollMs'>) {
    super();
  }

  override async send({ id, to, subject, text }: OutgoingMail, signal: AbortSignal): Promise<void> {
    const { from } = this.config;
    signal.throwIfAborted();
    const transporter = await this.connect();
    const aborted = Promise.withResolvers<never>();
    const leave = () => aborted.reject(signal.reason as Error);
    signal.addEventListener('abort', leave, { once: true });
    try {
      const messageId = `<${id}@${from.split('@')[1]}>`;
      // A connection that is left ends by itself when the server is silent for too long.
      await Promise.race([transporter.sendMail({ from, to, subject, text, messageId }), aborted.promise]);
    } catch (error) {
      signal.throwIfAborted();
      throw meaningOf(error as SmtpError);
    } finally {
      signal.removeEventListener('abort', leave);
      transporter.close();
    }
  }

  private async connect() {
    const { smtpHost, smtpPort, smtpSecurity, smtpCaFile, smtpUser, smtpPassword } = this.config;
    // Most processes never send a mail.
    const { createTransport } = await import('nodemailer');
    return createTransport({
      host: smtpHost,
      port: smtpPort,
      secure: smtpSecurity === 'tls',
      requireTLS: smtpSecurity === 'starttls',
      ignoreTLS: smtpSecurity === 'none',
      ...(smtpUser && { auth: { user: smtpUser, pass: smtpPassword ?? '' } }),
      ...(smtpCaFile && { tls: { ca: await readFile(smtpCaFile) } }),
      connectionTimeout: SILENCE_MS,
      greetingTimeout: SILENCE_MS,
      socketTimeout: SILENCE_MS,
      disableFileAccess: true,
      disableUrlAccess: true,
    });
  }
}

type SmtpError = Error & { code?: string; responseCode?: number };

/** Without the server's words in the message, which may hold the address. */
function meaningOf(error: SmtpError): Error {
  const { code = error.name, responseCode } = error;
  if (code === 'EAUTH') return new FatalFailure('The mail server does not let us in', { cause: error });
  if (code === 'ETLS')
    return new FatalFailure('The mail server has no TLS that can be trusted', { cause: error });
  if (responseCode !== undefined && BUSY.has(responseCode))
    return new Overloaded(`The mail server answered ${responseCode}`, { cause: error });
  if (responseCode !== undefined && responseCode >= 500) return new MailRefused({ cause: error });
  if (code === 'ESOCKET' || code === 'ECONNECTION' || code === 'EDNS')
    return new FatalFailure('The mail server cannot be reached', { cause: error });
  return new TransientFailure(`The mail server failed (${code})`, { cause: error });
}
