import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { TenantDb } from '#libs/database';
import { Loops } from '#libs/loops';
import { counter } from '#libs/observability';
import { signedHeaders, retryMsAfter } from '#libs/monitoring';
import { PolicyRegistry } from '#libs/resilience';
import { type WebhookConfig, webhookSection } from '../ingestion.config.js';
import { SealingKey } from '#libs/secrets';
import type { DueDelivery } from './webhook.js';
import { WebhookStore } from './webhook.store.js';
import { WebhookTransport } from './webhook-transport.js';
import { ownerOf } from './webhooks.service.js';

const deliveries = counter({
  name: 'navigator_webhook_deliveries_total',
  help: 'Attempts to tell of a document by outcome: delivered, failed or given-up',
  labelNames: ['outcome'],
});

const BATCH = 20;
/** Longer than an attempt can take. */
const LEASE_MS = 60_000;
/** 1 s, 4 s, 16 s … 6 h; the twelfth attempt comes about a day after the first and is the last. */
const ATTEMPTS = 12;
const GONE = 410;
const SWEEP_EVERY_MS = 3_600_000;

/** Sends what stands in the outbox of all tenants, each message at least once and under the same id every time. */
@Injectable()
export class WebhookDispatcher implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(WebhookDispatcher.name);
  private readonly loops = new Loops(this.logger);
  private sweptMs = -Infinity;

  constructor(
    private readonly db: TenantDb,
    private readonly store: WebhookStore,
    private readonly sealing: SealingKey,
    private readonly transport: WebhookTransport,
    @Inject(PolicyRegistry) private readonly policies: Pick<PolicyRegistry, 'keyed'>,
    @Inject(webhookSection.token) private readonly config: WebhookConfig,
  ) {}

  onApplicationBootstrap(): void {
    this.loops.repeat(this.config.pollMs, () => this.sendAllDue(), 'webhooks could not be sent');
  }

  /** What is under way is finished or left to its lease; nothing new is begun. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.loops.stop();
  }

  /** Sends what is due, and returns how many messages there were. What fails is tried again later, by any process. */
  async sendDue(): Promise<number> {
    await this.sweep();
    const due = await this.db.runAsWorker((tx) => this.store.claim(tx, BATCH, LEASE_MS));
    await Promise.all(due.map((delivery) => this.send(delivery)));
    return due.length;
  }

  /** A full batch may not have been all. */
  private async sendAllDue(): Promise<void> {
    while ((await this.sendDue()) === BATCH && !this.loops.signal.aborted);
  }

  private async send(delivery: DueDelivery): Promise<void> {
    const { tenantId, id } = delivery;
    const result = await this.attempt(delivery);
    const retryMs =
      result.status === GONE || delivery.attempt >= ATTEMPTS
        ? undefined
        : (result.retryAfterMs ?? retryMsAfter(delivery.attempt));
    await this.db.run(tenantId, async (tx) => {
      if (result.error === undefined) await this.store.markDelivered(tx, id, result.status!);
      else await this.store.markFailed(tx, id, { status: result.status, error: result.error, retryMs });
      // Whoever answers that he is gone wants to hear nothing more.
      if (result.status === GONE)
        await this.store.update(tx, delivery.endpointId, {
          disabledReason: 'the endpoint answered 410 Gone',
        });
    });
    deliveries.inc({
      outcome: result.error === undefined ? 'delivered' : retryMs === undefined ? 'given-up' : 'failed',
    });
  }

  private async attempt({
    id,
    url,
    secret,
    endpointId,
    body,
  }: DueDelivery): Promise<{ status?: number; error?: string; retryAfterMs?: number }> {
    try {
      const key = this.sealing.open(secret, ownerOf(endpointId));
      const timestamp = Math.floor(Date.now() / 1_000);
      const headers = { 'content-type': 'application/json', ...signedHeaders(key, id, timestamp, body) };
      const policy = this.policies.keyed('webhook', new URL(url).host);
      const { status, retryAfterMs } = await policy.execute(
        (signal) => this.transport.post(url, { headers, body, signal }),
        { signal: this.loops.signal, operation: 'send', priority: 'sheddable-plus' },
      );
      if (status >= 200 && status < 300) return { status };
      return { status, error: `answered ${status}`, retryAfterMs };
    } catch (error) {
      return { error: (error as Error).name };
    }
  }

  private async sweep(): Promise<void> {
    if (performance.now() - this.sweptMs < SWEEP_EVERY_MS) return;
    this.sweptMs = performance.now();
    await this.db.runAsWorker((tx) => this.store.removeOld(tx, this.config.keepDays));
  }
}
