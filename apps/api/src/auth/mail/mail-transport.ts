/** A plain-text mail to one person. */
export interface Mail {
  to: string;
  /** ASCII, without a line break. */
  subject: string;
  text: string;
}

/** A mail on its way; the same id each time it is tried, so that whoever gets it twice can tell. */
export interface OutgoingMail extends Mail {
  id: string;
}

/** How mails leave. */
export abstract class MailTransport {
  /**
   * @throws MailRefused when it makes no sense to try again
   * @throws TransientFailure, Overloaded or FatalFailure when it may pass
   */
  abstract send(mail: OutgoingMail, signal: AbortSignal): Promise<void>;

  /** Removes what is kept here of mails to an address. What has left cannot be called back. */
  async forget(_address: string): Promise<void> {}
}

/** The server took a look at this mail and does not want it: no such address, or a mail that it does not like. */
export class MailRefused extends Error {
  constructor(options?: ErrorOptions) {
    // What the server says may hold the address.
    super('The mail server refused a mail for good', options);
    this.name = 'MailRefused';
  }
}
