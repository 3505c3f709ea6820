import type { Provider } from '@nestjs/common';
import { AllowedAddresses, hostsIn, networksIn } from '#libs/http';
import { type WebhookConfig, webhookSection } from '../ingestion.config.js';
import { WebhookDispatcher } from './webhook-dispatcher.js';
import { WebhookTransport } from './webhook-transport.js';

export { WebhookStore } from './webhook.store.js';
export { WebhooksService } from './webhooks.service.js';
export { WebhooksController } from './webhooks.controller.js';

export const WEBHOOKS_WORKER: Provider[] = [
  {
    provide: WebhookTransport,
    inject: [webhookSection.token],
    useFactory: ({ allowedNetworks, allowedHosts }: WebhookConfig) =>
      new WebhookTransport(new AllowedAddresses(networksIn(allowedNetworks), hostsIn(allowedHosts))),
  },
  WebhookDispatcher,
];
