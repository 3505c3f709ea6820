import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { z } from 'zod';
import { auditDetail } from '#libs/audit';
import type { Principal } from '#libs/auth';
import { TenantDb } from '#libs/database';
import { decodeCursor, IdempotentResponseNotKept, newResourceId, page, type Page } from '#libs/http';
import { TooManyWebhooks, WebhookDeliveryNotFound, WebhookNotFound } from '../ingestion.errors.js';
import { SealingKey } from '#libs/secrets';
import type { WebhookEndpoint } from './webhook.js';
import {
  type ChangeWebhook,
  type CreateWebhook,
  type DeliveryBody,
  type ListDeliveries,
  toDeliveryBody,
  toWebhookBody,
  type WebhookBody,
  type WebhookWithSecret,
} from './webhook.dto.js';
import { WebhookStore } from './webhook.store.js';

const MOST_ENDPOINTS = 20;
const SECRET_BYTES = 32;
const BY_A_PERSON = 'disabled by an administrator';
const DeliveryCursor = z.tuple([z.string().max(40), z.uuid()]);

/** A tenant's endpoints, and the log of what was sent to them. */
@Injectable()
export class WebhooksService {
  constructor(
    private readonly db: TenantDb,
    private readonly store: WebhookStore,
    private readonly sealing: SealingKey,
  ) {}

  list({ tenantId }: Principal): Promise<WebhookBody[]> {
    return this.db.read(tenantId, async (tx) => (await this.store.list(tx)).map(toWebhookBody));
  }

  /** @throws WebhookNotFound */
  get({ tenantId }: Principal, id: string): Promise<WebhookBody> {
    return this.db.read(tenantId, async (tx) => toWebhookBody(await this.find(tx, id)));
  }

  /** The secret is told this once. @throws TooManyWebhooks */
  create(
    { tenantId, userId }: Principal,
    { url, events, description }: CreateWebhook,
  ): Promise<WebhookWithSecret> {
    const id = newResourceId();
    const secret = newSecret();
    return this.db.change(tenantId, async (tx) => {
      if ((await this.store.count(tx)) >= MOST_ENDPOINTS) throw new TooManyWebhooks(MOST_ENDPOINTS);
      const endpoint = { id, url, events, description: description ?? null };
      const inserted = await this.store.insert(tx, endpoint, this.sealing.seal(secret, ownerOf(id)), userId);
      // The request was done before; its secret was shown then, or was lost with the answer.
      if (!inserted) throw new IdempotentResponseNotKept();
      this.note(id);
      return { ...toWebhookBody(await this.find(tx, id)), secret };
    });
  }

  /** @throws WebhookNotFound */
  change({ tenantId }: Principal, id: string, { enabled, ...set }: ChangeWebhook): Promise<WebhookBody> {
    return this.db.change(tenantId, async (tx) => {
      await this.find(tx, id);
      const disabledReason = enabled === undefined ? undefined : enabled ? null : BY_A_PERSON;
      await this.store.update(tx, id, { ...set, disabledReason });
      this.note(id);
      return toWebhookBody(await this.find(tx, id));
    });
  }

  /** What waits is signed with the new one. @throws WebhookNotFound */
  rotateSecret({ tenantId }: Principal, id: string): Promise<WebhookWithSecret> {
    const secret = newSecret();
    return this.db.change(tenantId, async (tx) => {
      const endpoint = await this.find(tx, id);
      await this.store.setSecret(tx, id, this.sealing.seal(secret, ownerOf(id)));
      this.note(id);
      return { ...toWebhookBody(endpoint), secret };
    });
  }

  /** @throws WebhookNotFound */
  delete({ tenantId }: Principal, id: string): Promise<void> {
    return this.db.change(tenantId, async (tx) => {
      await this.find(tx, id);
      await this.store.delete(tx, id);
      this.note(id);
    });
  }

  /** Sends a message that means nothing, to see whether it arrives. @throws WebhookNotFound */
  test({ tenantId }: Principal, id: string): Promise<DeliveryBody> {
    const type = 'webhook.test';
    return this.db.change(tenantId, async (tx) => {
      await this.find(tx, id);
      const body = JSON.stringify({ type, timestamp: new Date().toISOString(), data: { webhook_id: id } });
      this.note(id);
      return toDeliveryBody(await this.store.enqueue(tx, id, type, body));
    });
  }

  /** @throws WebhookNotFound */
  listDeliveries(
    { tenantId }: Principal,
    id: string,
    { state, cursor, limit }: ListDeliveries,
  ): Promise<Page<DeliveryBody>> {
    const after = cursor === undefined ? undefined : decodeCursor(cursor, DeliveryCursor);
    const position = after && { createdAt: after[0], id: after[1] };
    return this.db.read(tenantId, async (tx) => {
      await this.find(tx, id);
      const rows = await this.store.listDeliveries(tx, id, state, position, limit + 1);
      return page(rows, limit, (row) => [row.position, row.id], toDeliveryBody);
    });
  }

  /** Sends a message again, under the id that it had. @throws WebhookNotFound, WebhookDeliveryNotFound */
  replay({ tenantId }: Principal, id: string, deliveryId: string): Promise<DeliveryBody> {
    return this.db.change(tenantId, async (tx) => {
      await this.find(tx, id);
      const delivery = await this.store.replay(tx, id, deliveryId);
      if (!delivery) throw new WebhookDeliveryNotFound(deliveryId);
      this.note(id);
      return toDeliveryBody(delivery);
    });
  }

  private async find(tx: EntityManager, id: string): Promise<WebhookEndpoint> {
    const endpoint = await this.store.find(tx, id);
    if (!endpoint) throw new WebhookNotFound(id);
    return endpoint;
  }

  private note(id: string): void {
    auditDetail({ targets: [{ type: 'webhook', id }] });
  }
}

/** What a secret is sealed for. */
export const ownerOf = (webhookId: string) => `webhook:${webhookId}`;

const newSecret = () => `whsec_${randomBytes(SECRET_BYTES).toString('base64')}`;
