import { join } from 'node:path';
import { Global, Module } from '@nestjs/common';
import { AuditLog } from './audit-log.js';
import { AuditInterceptor } from './audit.interceptor.js';
import { AuditSpool } from './audit-spool.js';

/**
 * Needs `TenantDb` and `DATA_DIR` from a global module. Exactly one per program: its log registers itself with the
 * database.
 */
@Global()
@Module({
  providers: [
    AuditLog,
    AuditInterceptor,
    {
      provide: AuditSpool,
      inject: ['DATA_DIR'],
      useFactory: (dataDir: string) => new AuditSpool(join(dataDir, 'audit-spool')),
    },
  ],
  exports: [AuditLog, AuditInterceptor],
})
export class AuditModule {}
