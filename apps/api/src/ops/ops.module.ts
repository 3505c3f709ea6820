import { Module } from '@nestjs/common';
import { AuditEventsController } from './audit/audit-events.controller.js';
import { AuditEventsService } from './audit/audit-events.service.js';

/** For those who run a tenant or the installation. */
@Module({ controllers: [AuditEventsController], providers: [AuditEventsService] })
export class OpsModule {}
