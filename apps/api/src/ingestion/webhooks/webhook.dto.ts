import { z } from 'zod';
import { cursorQuery, pageOf } from '#libs/http';
import { DELIVERY_STATES, WEBHOOK_EVENTS, type WebhookDelivery, type WebhookEndpoint } from './webhook.js';

const LONGEST_URL = 2_000;

/** No name and password in it: it is shown in lists. */
const Url = z
  .url({ protocol: /^https?$/ })
  .max(LONGEST_URL)
  .refine((url) => {
    const parsed = URL.parse(url);
    return !parsed?.username && !parsed?.password;
  }, 'The address must not hold a password');
const Events = z
  .array(z.enum(WEBHOOK_EVENTS))
  .min(1)
  .transform((events) => [...new Set(events)]);
const Description = z.string().trim().min(1).max(500);

export const CreateWebhook = z.strictObject({
  url: Url,
  events: Events.default([...WEBHOOK_EVENTS]),
  description: Description.optional(),
});
export type CreateWebhook = z.infer<typeof CreateWebhook>;

export const ChangeWebhook = z.strictObject({
  url: Url.optional(),
  events: Events.optional(),
  description: Description.nullable().optional(),
  enabled: z.boolean().optional(),
});
export type ChangeWebhook = z.infer<typeof ChangeWebhook>;

export const ListDeliveries = z.strictObject({ ...cursorQuery, state: z.enum(DELIVERY_STATES).optional() });
export type ListDeliveries = z.infer<typeof ListDeliveries>;

export const WebhookBody = z.object({
  id: z.uuid(),
  url: z.string(),
  events: z.array(z.enum(WEBHOOK_EVENTS)),
  description: z.string().nullable(),
  enabled: z.boolean(),
  disabled_reason: z.string().nullable(),
  created_at: z.iso.datetime(),
});
export type WebhookBody = z.infer<typeof WebhookBody>;

export const WebhookWithSecret = WebhookBody.extend({
  secret: z.string().describe('Signs the messages (Standard Webhooks). It is shown this once.'),
});
export type WebhookWithSecret = z.infer<typeof WebhookWithSecret>;

export const WebhookList = z.object({ items: z.array(WebhookBody) });

export const DeliveryBody = z.object({
  id: z.uuid().describe('The header webhook-id, the same at every attempt.'),
  event: z.string(),
  state: z.enum(DELIVERY_STATES),
  attempts: z.number().int(),
  next_attempt_at: z.iso.datetime().nullable(),
  last_status: z.number().int().nullable(),
  last_error: z.string().nullable(),
  created_at: z.iso.datetime(),
  delivered_at: z.iso.datetime().nullable(),
});
export type DeliveryBody = z.infer<typeof DeliveryBody>;
export const DeliveryPage = pageOf(DeliveryBody);

export function toWebhookBody(endpoint: WebhookEndpoint): WebhookBody {
  const { id, url, events, description, disabledReason, createdAt } = endpoint;
  return {
    id,
    url,
    events,
    description,
    enabled: disabledReason === null,
    disabled_reason: disabledReason,
    created_at: createdAt.toISOString(),
  };
}

export function toDeliveryBody(delivery: WebhookDelivery): DeliveryBody {
  return {
    id: delivery.id,
    event: delivery.event,
    state: delivery.state,
    attempts: delivery.attempts,
    next_attempt_at: delivery.state === 'waiting' ? delivery.nextAttemptAt.toISOString() : null,
    last_status: delivery.lastStatus,
    last_error: delivery.lastError,
    created_at: delivery.createdAt.toISOString(),
    delivered_at: delivery.deliveredAt?.toISOString() ?? null,
  };
}
