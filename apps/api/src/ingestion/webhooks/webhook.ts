export const WEBHOOK_EVENTS = ['document.ready', 'document.failed', 'document.needs_review'] as const;
export type WebhookEvent = (typeof WEBHOOK_EVENTS)[number];

export interface WebhookEndpoint {
  id: string;
  url: string;
  events: WebhookEvent[];
  description: string | null;
  /** Why nothing is sent to it; null when something is. */
  disabledReason: string | null;
  createdAt: Date;
}

export const DELIVERY_STATES = ['waiting', 'delivered', 'given_up'] as const;
export type DeliveryState = (typeof DELIVERY_STATES)[number];

/** One message to one endpoint; its id is the same at every attempt. */
export interface WebhookDelivery {
  id: string;
  endpointId: string;
  /** One of `WEBHOOK_EVENTS`, or `webhook.test`. */
  event: string;
  state: DeliveryState;
  attempts: number;
  nextAttemptAt: Date;
  /** What the endpoint answered last; null when it answered nothing. */
  lastStatus: number | null;
  lastError: string | null;
  createdAt: Date;
  deliveredAt: Date | null;
}

/** A delivery that this process has taken for its next attempt. */
export interface DueDelivery {
  tenantId: string;
  id: string;
  endpointId: string;
  url: string;
  secret: Buffer;
  body: string;
  /** 1 for the first. */
  attempt: number;
}
