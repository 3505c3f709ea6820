import { Logger } from '@nestjs/common';
import type { TenantDb } from '#libs/database';
import { DomainError } from '#libs/errors';
import { counter } from '#libs/observability';
import {
  claimDeliveries,
  type Delivery,
  type DueDelivery,
  markDelivered,
  markFailed,
} from '../alert.store.js';
import type { WebhookSender } from './webhook-sender.js';

const deliveries = counter({
  name: 'navigator_alert_deliveries_total',
  help: 'Attempts to tell of an alert by outcome',
  labelNames: ['outcome'],
});

const PROMPTLY = { priority: 'critical' } as const;
const BATCH = 10;
/** Longer than an attempt can take. */
const LEASE_MS = 60_000;
/** 1 s, 4 s, 16 s … 6 h; the twelfth attempt comes about a day after the first and is the last. */
const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 21_600_000;
const ATTEMPTS = 12;

/** Sends what stands in the outbox, each message at least once and under the same id every time. */
export class Deliveries {
  private readonly logger = new Logger(Deliveries.name);

  constructor(
    private readonly db: Pick<TenantDb, 'runAsOperator'>,
    private readonly sender: Pick<WebhookSender, 'send'>,
  ) {}

  /** Sends what is due. What fails is tried again later, by this or another process. */
  async sendDue(): Promise<void> {
    const due = await this.db.runAsOperator((tx) => claimDeliveries(tx, BATCH, LEASE_MS), PROMPTLY);
    await Promise.all(due.map((delivery) => this.sendClaimed(delivery)));
  }

  /** @returns the error's name unless it was accepted */
  async attempt({ id, body }: Delivery): Promise<{ failed?: string; retryAfterMs?: number }> {
    try {
      await this.sender.send(id, body);
      deliveries.inc({ outcome: 'delivered' });
      return {};
    } catch (error) {
      deliveries.inc({ outcome: 'failed' });
      const retryAfterMs = error instanceof DomainError ? error.retryAfterMs : undefined;
      return { failed: (error as Error).name, retryAfterMs };
    }
  }

  private async sendClaimed(delivery: DueDelivery): Promise<void> {
    const { failed } = await this.attempt(delivery);
    const retryMs = delivery.attempt < ATTEMPTS ? retryMsAfter(delivery.attempt) : undefined;
    if (failed && retryMs === undefined)
      this.logger.error({ delivery: delivery.id, reason: failed }, 'nobody could be told of an alert');
    await this.db.runAsOperator(
      (tx) => (failed ? markFailed(tx, delivery.id, failed, retryMs) : markDelivered(tx, delivery.id)),
      PROMPTLY,
    );
  }
}

/** With a little chance, so that replicas do not try at the same moment. */
export function retryMsAfter(attempt: number, random: () => number = Math.random): number {
  return Math.min(FIRST_RETRY_MS * 4 ** (attempt - 1), LONGEST_RETRY_MS) * (0.9 + 0.2 * random());
}
