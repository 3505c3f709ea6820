import { Global, Module } from '@nestjs/common';
import { AuditLog } from './audit-log.js';
import { AuditInterceptor } from './audit.interceptor.js';

/** Needs `TenantDb` from a global module. Exactly one per program: its log registers itself with the database. */
@Global()
@Module({ providers: [AuditLog, AuditInterceptor], exports: [AuditLog, AuditInterceptor] })
export class AuditModule {}
