import { type DynamicModule, Module } from '@nestjs/common';
import { AuditLog } from '#libs/audit';
import { TenantDb } from '#libs/database';
import { PolicyRegistry } from '#libs/resilience';
import { AlertsController } from './alerts/alerts.controller.js';
import { AuditEventsController } from './audit/audit-events.controller.js';
import { AuditProofsController } from './audit/audit-proofs.controller.js';
import { AuditRetentionController } from './audit/audit-retention.controller.js';
import { LegalHoldsController } from './audit/legal-holds.controller.js';
import { AuditEventsService } from './audit/audit-events.service.js';
import { AuditExport } from './audit/exports/audit-export.kind.js';
import { AuditExportsController } from './audit/exports/audit-exports.controller.js';
import { AuditExportsService } from './audit/exports/audit-exports.service.js';
import { AuditStreamController } from './audit/stream/audit-stream.controller.js';
import { AuditTail } from './audit/stream/audit-tail.js';
import { FaultsController } from './faults/faults.controller.js';
import { ActRecorder } from './resilience/act-recorder.js';
import { DebugController } from './resilience/debug.controller.js';
import { ResilienceController } from './resilience/resilience.controller.js';
import { ResilienceOverrides } from './resilience/resilience-overrides.js';

/**
 * For those who run a tenant or the installation. Orders to policies reach every process, also one that answers no
 * requests.
 */
@Module({})
export class OpsModule {
  static register({ http }: { http: boolean }): DynamicModule {
    return {
      module: OpsModule,
      global: true,
      controllers: http
        ? [
            AuditEventsController,
            AuditProofsController,
            AuditExportsController,
            AuditStreamController,
            LegalHoldsController,
            AuditRetentionController,
            ResilienceController,
            DebugController,
            AlertsController,
            FaultsController,
          ]
        : [],
      providers: [
        AuditEventsService,
        AuditExport,
        AuditExportsService,
        AuditTail,
        ActRecorder,
        {
          provide: ResilienceOverrides,
          inject: [TenantDb, 'CONTROL_DB', PolicyRegistry, AuditLog, 'APP_DATABASE_URL'],
          useFactory: (
            db: TenantDb,
            control: TenantDb,
            policies: PolicyRegistry,
            audit: AuditLog,
            url: string,
          ) => new ResilienceOverrides(db, control, policies, audit, url),
        },
      ],
      exports: [ResilienceOverrides],
    };
  }
}
