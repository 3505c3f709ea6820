import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { DeliveryState, DueDelivery, WebhookDelivery, WebhookEndpoint } from './webhook.js';

/** Where a page of deliveries ended. The time is PostgreSQL's own text, which keeps its microseconds. */
export interface DeliveryPosition {
  createdAt: string;
  id: string;
}

type Settable = Partial<Pick<WebhookEndpoint, 'url' | 'events' | 'description' | 'disabledReason'>>;

/** All SQL on `webhook_endpoint` and `webhook_delivery`; documents put their ends into the latter by a trigger. */
@Injectable()
export class WebhookStore {
  /** False when an endpoint of that id is there; it stays as it is. */
  async insert(
    tx: EntityManager,
    { id, url, events, description }: Pick<WebhookEndpoint, 'id' | 'url' | 'events' | 'description'>,
    secret: Buffer,
    createdBy: string,
  ): Promise<boolean> {
    const rows = await tx.query(
      `insert into webhook_endpoint (tenant_id, id, url, events, description, secret, created_by)
       values (app_tenant(), $1, $2, $3, $4, $5, $6) on conflict do nothing returning id`,
      [id, url, events, description, secret, createdBy],
    );
    return rows.length > 0;
  }

  async list(tx: EntityManager): Promise<WebhookEndpoint[]> {
    return tx.query(`select ${ENDPOINT} from webhook_endpoint order by created_at, id`);
  }

  async find(tx: EntityManager, id: string): Promise<WebhookEndpoint | undefined> {
    const [row] = await tx.query(`select ${ENDPOINT} from webhook_endpoint where id = $1`, [id]);
    return row;
  }

  async count(tx: EntityManager): Promise<number> {
    const [row] = await tx.query(`select count(*)::int as count from webhook_endpoint`);
    return row.count;
  }

  async update(tx: EntityManager, id: string, set: Settable): Promise<void> {
    await tx.query(
      `update webhook_endpoint
       set url = coalesce($2, url), events = coalesce($3, events),
           description = case when $4 then $5 else description end,
           disabled_reason = case when $6 then $7 else disabled_reason end
       where id = $1`,
      [
        id,
        set.url,
        set.events,
        set.description !== undefined,
        set.description,
        set.disabledReason !== undefined,
        set.disabledReason,
      ],
    );
  }

  async setSecret(tx: EntityManager, id: string, secret: Buffer): Promise<void> {
    await tx.query(`update webhook_endpoint set secret = $2 where id = $1`, [id, secret]);
  }

  /** With all its deliveries. */
  async delete(tx: EntityManager, id: string): Promise<void> {
    await tx.query(`delete from webhook_endpoint where id = $1`, [id]);
  }

  async enqueue(
    tx: EntityManager,
    endpointId: string,
    event: string,
    body: string,
  ): Promise<WebhookDelivery> {
    const [row] = await tx.query(
      `insert into webhook_delivery (tenant_id, endpoint_id, event, body) values (app_tenant(), $1, $2, $3)
       returning ${DELIVERY}`,
      [endpointId, event, body],
    );
    return row;
  }

  /** The last first. */
  async listDeliveries(
    tx: EntityManager,
    endpointId: string,
    state: DeliveryState | undefined,
    after: DeliveryPosition | undefined,
    limit: number,
  ): Promise<(WebhookDelivery & { position: string })[]> {
    return tx.query(
      `select ${DELIVERY}, created_at::text as position from webhook_delivery
       where endpoint_id = $1 and ($2::text is null or state = $2)
         and ($3::timestamptz is null or (created_at, id) < ($3, $4::uuid))
       order by created_at desc, id desc limit $5`,
      [endpointId, state, after?.createdAt, after?.id, limit],
    );
  }

  /** Begins again with a delivery, whatever became of it. Undefined when there is none. */
  async replay(tx: EntityManager, endpointId: string, id: string): Promise<WebhookDelivery | undefined> {
    const [[row]] = await tx.query(
      `update webhook_delivery
       set state = 'waiting', attempts = 0, next_attempt_at = now(), delivered_at = null
       where endpoint_id = $1 and id = $2 returning ${DELIVERY}`,
      [endpointId, id],
    );
    return row;
  }

  /** Takes deliveries of all tenants for `leaseMs`: whoever takes them and dies leaves them to the others. */
  async claim(tx: EntityManager, most: number, leaseMs: number): Promise<DueDelivery[]> {
    const [rows] = await tx.query(
      `update webhook_delivery d
       set attempts = d.attempts + 1, next_attempt_at = now() + make_interval(secs => $2 / 1000.0)
       from webhook_endpoint e
       where e.tenant_id = d.tenant_id and e.id = d.endpoint_id and e.disabled_reason is null
         and (d.tenant_id, d.id) in (
           select tenant_id, id from webhook_delivery
           where state = 'waiting' and next_attempt_at <= now()
           order by next_attempt_at limit $1 for update skip locked)
       returning d.tenant_id as "tenantId", d.id, d.endpoint_id as "endpointId", e.url, e.secret, d.body,
                 d.attempts as attempt`,
      [most, leaseMs],
    );
    return rows;
  }

  async markDelivered(tx: EntityManager, id: string, status: number): Promise<void> {
    await tx.query(
      `update webhook_delivery
       set state = 'delivered', delivered_at = now(), last_status = $2, last_error = null where id = $1`,
      [id, status],
    );
  }

  /** @param retryMs when to try again; undefined: never */
  async markFailed(
    tx: EntityManager,
    id: string,
    { status, error, retryMs }: { status?: number; error: string; retryMs?: number },
  ): Promise<void> {
    await tx.query(
      `update webhook_delivery
       set last_status = $2, last_error = $3,
           state = case when $4::float is null then 'given_up' else 'waiting' end,
           next_attempt_at = now() + make_interval(secs => coalesce($4::float, 0) / 1000)
       where id = $1`,
      [id, status, error, retryMs],
    );
  }

  /** Of what was settled, so that the log does not grow for ever. Returns how many there were. */
  async removeOld(tx: EntityManager, olderThanDays: number): Promise<number> {
    const [, count] = await tx.query(
      `delete from webhook_delivery
       where state <> 'waiting' and created_at < now() - make_interval(days => $1)`,
      [olderThanDays],
    );
    return count;
  }
}

const ENDPOINT = `id, url, events, description, disabled_reason as "disabledReason", created_at as "createdAt"`;
const DELIVERY = `id, endpoint_id as "endpointId", event, state, attempts, next_attempt_at as "nextAttemptAt",
  last_status as "lastStatus", last_error as "lastError", created_at as "createdAt", delivered_at as "deliveredAt"`;
