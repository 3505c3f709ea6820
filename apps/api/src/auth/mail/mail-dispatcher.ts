import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { TenantDb } from '#libs/database';
import { Loops } from '#libs/loops';
import { retryMsAfter } from '#libs/monitoring';
import { counter } from '#libs/observability';
import { PolicyRegistry } from '#libs/resilience';
import { SealBroken } from '#libs/secrets';
import { type MailConfig, mailSection } from './mail.config.js';
import { type DueMail, MailOutbox } from './mail-outbox.js';
import { MailRefused, MailTransport } from './mail-transport.js';

const mails = counter({
  name: 'navigator_mails_total',
  help: 'Attempts to send a mail by kind and outcome: sent, failed (tried again), refused or expired',
  labelNames: ['kind', 'outcome'],
});

const BATCH = 20;
/** Longer than an attempt can take. */
const LEASE_MS = 120_000;

/** Sends what stands in the outbox of all tenants, each mail at least once. */
@Injectable()
export class MailDispatcher implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(MailDispatcher.name);
  private readonly loops = new Loops(this.logger);

  constructor(
    private readonly db: TenantDb,
    private readonly outbox: MailOutbox,
    private readonly transport: MailTransport,
    @Inject(PolicyRegistry) private readonly policies: Pick<PolicyRegistry, 'policy'>,
    @Inject(mailSection.token) private readonly config: Pick<MailConfig, 'pollMs'>,
  ) {}

  onApplicationBootstrap(): void {
    // A full batch may not have been all.
    const sendBatch = async () => (await this.sendDue()) === BATCH;
    this.loops.repeat(this.config.pollMs, sendBatch, 'mails could not be sent');
  }

  /** What is under way is finished or left to its lease; nothing new is begun. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.loops.stop();
  }

  /** Sends what is due, and returns how many mails there were. What fails is tried again later, by any process. */
  async sendDue(): Promise<number> {
    const due = await this.db.runAsWorker(async (tx) => {
      const expired = await this.outbox.removeExpired(tx);
      if (expired > 0) mails.inc({ kind: 'any', outcome: 'expired' }, expired);
      return this.outbox.claim(tx, BATCH, LEASE_MS);
    });
    await Promise.all(due.map((mail) => this.send(mail)));
    return due.length;
  }

  private async send(due: DueMail): Promise<void> {
    const outcome = await this.attempt(due);
    await this.db.run(due.tenantId, (tx) =>
      outcome === 'failed'
        ? this.outbox.postpone(tx, due, retryMsAfter(due.attempt))
        : this.outbox.remove(tx, due),
    );
    mails.inc({ kind: due.kind, outcome });
  }

  private async attempt(due: DueMail): Promise<'sent' | 'refused' | 'failed'> {
    const { id, kind } = due;
    try {
      const mail = this.outbox.open(due);
      await this.policies.policy('mail').execute((signal) => this.transport.send({ id, ...mail }, signal), {
        signal: this.loops.signal,
        operation: 'send',
        priority: 'sheddable-plus',
      });
      return 'sent';
    } catch (error) {
      const isForGood = error instanceof MailRefused || error instanceof SealBroken;
      this.logger.warn({ kind, error: (error as Error).name }, 'a mail could not be sent');
      return isForGood ? 'refused' : 'failed';
    }
  }
}
