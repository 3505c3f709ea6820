import { type DynamicModule, Module } from '@nestjs/common';
import { APP_GUARD, APP_INTERCEPTOR } from '@nestjs/core';
import { ThrottlerModule } from '@nestjs/throttler';
import { AuditInterceptor, AuditModule } from '#libs/audit';
import { AuthGuard, PermissionGuard } from '#libs/auth';
import { CacheModule } from '#libs/cache';
import { type Config, ConfigModule } from '#libs/config';
import { patienceOf } from '#libs/database';
import { ExportsModule } from '#libs/exports';
import { HealthModule } from '#libs/health';
import {
  AdmissionModule,
  GateGuard,
  IdempotencyInterceptor,
  QuotaGuard,
  Quotas,
  type QuotaSurroundings,
  RedisQuotaStore,
  ServiceLevelInterceptor,
  throttlerOptions,
} from '#libs/http';
import { MonitoringModule } from '#libs/monitoring';
import { metricsModule } from '#libs/observability';
import { DegradationRegistry, type Policy, PolicyRegistry } from '#libs/resilience';
import { sections } from './app.config.js';
import { alertRules } from './app.alerts.js';
import { dependencyProbes } from './app.health.js';
import { AuthModule } from './auth/index.js';
import { ChatModule } from './chat/index.js';
import { GroupsModule } from './groups/index.js';
import { type Infrastructure, InfrastructureModule } from './infrastructure.module.js';
import { IngestionModule, QueueProbe, WorkerProbe } from './ingestion/index.js';
import { MetricsController, OpsModule, ResilienceOverrides } from './ops/index.js';
import { PrivacyModule } from './privacy/index.js';
import { RagModule } from './rag/index.js';

/**
 * The whole program. Guards run in the order in which they stand here, then interceptors, then the pipe; the hooks
 * before them are in app.setup.ts.
 */
@Module({})
export class AppModule {
  static register(config: Config<typeof sections>, infrastructure: Infrastructure): DynamicModule {
    const { role } = config.server;
    const auth = AuthModule.register(config);
    const quotas = new Quotas(config.rate, sharedQuotas(infrastructure, role));
    return {
      module: AppModule,
      imports: [
        InfrastructureModule.register(infrastructure),
        ConfigModule.register(sections, config),
        CacheModule.register(config.cache, infrastructure.sharedCache),
        ThrottlerModule.forRoot(throttlerOptions(quotas)),
        AdmissionModule.register({
          config: config.admission,
          quotas,
          poolWaitMs: () => waitMsAt(infrastructure.policies.policy('postgres')),
          transactionMs: () => patienceOf(infrastructure.source).usualMs,
        }),
        AuditModule.register(config.audit),
        ExportsModule.register({ worker: role !== 'api' }),
        metricsModule(MetricsController),
        HealthModule.register(infrastructure.lifecycle, {
          useFactory: (queue: QueueProbe, worker?: WorkerProbe) => [
            ...dependencyProbes(infrastructure.databaseProbe, infrastructure.policies),
            queue,
            ...(worker ? [worker] : []),
          ],
          inject: [QueueProbe, { token: WorkerProbe, optional: true }],
        }),
        // A worker knows who may read its metrics, but answers nothing else.
        role === 'worker' ? { ...auth, controllers: [] } : auth,
        RagModule.register({ http: role !== 'worker' }),
        GroupsModule.register({ http: role !== 'worker' }),
        IngestionModule.register({ http: role !== 'worker', worker: role !== 'api' }),
        PrivacyModule.register({ http: role !== 'worker', worker: role !== 'api' }),
        OpsModule.register({ http: role !== 'worker' }),
        MonitoringModule.register(config.alert, config.server, {
          useFactory: (
            policies: PolicyRegistry,
            levels: DegradationRegistry,
            overrides: ResilienceOverrides,
          ) => alertRules(policies, levels, overrides, { ...config.alert, ...config.worker }),
          inject: [PolicyRegistry, DegradationRegistry, ResilienceOverrides],
        }),
        ...(role === 'worker' ? [] : [ChatModule]),
      ],
      providers: [
        { provide: APP_GUARD, useExisting: AuthGuard },
        { provide: APP_GUARD, useExisting: PermissionGuard },
        { provide: APP_GUARD, useClass: QuotaGuard },
        { provide: APP_GUARD, useClass: GateGuard },
        { provide: APP_INTERCEPTOR, useClass: IdempotencyInterceptor },
        { provide: APP_INTERCEPTOR, useExisting: AuditInterceptor },
        { provide: APP_INTERCEPTOR, useClass: ServiceLevelInterceptor },
      ],
    };
  }
}

/** Nothing where each process counts by itself; a worker counts nothing. */
function sharedQuotas(
  { sharedCounts, policies, capabilities }: Infrastructure,
  role: Config<typeof sections>['server']['role'],
): QuotaSurroundings {
  if (!sharedCounts || role === 'worker') return {};
  const level = capabilities.get('quota.share');
  return {
    store: new RedisQuotaStore(sharedCounts, policies.policy('quota-store')),
    onStoreAway: () => level.observe('degraded', 'quota-store: away', 'part-of-each-quota'),
  };
}

/** How long the last in the queue of a dependency has to wait: so many calls are before it, each as long as usual. */
function waitMsAt(policy: Policy): number {
  const { permits, latency } = policy.describe();
  return permits ? (permits.queued / permits.limit) * (latency.p50Ms ?? 0) : 0;
}
