import { hostname } from 'node:os';
import { type DynamicModule, type FactoryProvider, Module } from '@nestjs/common';
import { InvalidConfiguration } from '#libs/config';
import { TenantDb } from '#libs/database';
import { PolicyRegistry } from '#libs/resilience';
import type { AlertRule } from './alert.js';
import { Alerts } from './alerts.js';
import type { AlertConfig } from './monitoring.config.js';
import { Deliveries } from './webhook/deliveries.js';
import { WebhookSender } from './webhook/webhook-sender.js';

const ALERT_RULES = Symbol('alert rules');

/** Alerts over the rules that `rules` collects. Needs `TenantDb` and `PolicyRegistry` from a global module. */
@Module({})
export class MonitoringModule {
  /**
   * @param port 0 stands for any, and then the process has another name each time
   * @throws InvalidConfiguration when messages could not be signed
   */
  static register(
    config: AlertConfig,
    { port }: { port: number },
    rules: Pick<FactoryProvider<AlertRule[]>, 'useFactory' | 'inject'>,
  ): DynamicModule {
    const { forMs, resolveMs, webhookUrl: url, webhookSecret: secret } = config;
    if (url && !secret)
      throw new InvalidConfiguration([
        { variable: 'ALERT_WEBHOOK_SECRET', message: 'is needed with ALERT_WEBHOOK_URL' },
      ]);
    const replica = config.replica ?? `${hostname()}:${port || `p${process.pid}`}`;
    return {
      module: MonitoringModule,
      global: true,
      providers: [
        { provide: ALERT_RULES, ...rules },
        {
          provide: Alerts,
          inject: [TenantDb, PolicyRegistry, ALERT_RULES],
          useFactory: (db: TenantDb, policies: PolicyRegistry, list: AlertRule[]) => {
            const sender = url && secret ? new WebhookSender(url, secret, policies) : undefined;
            const deliveries = sender && new Deliveries(db, sender);
            return new Alerts(db, list, { forMs, resolveMs, replica }, deliveries);
          },
        },
      ],
      exports: [Alerts],
    };
  }
}
