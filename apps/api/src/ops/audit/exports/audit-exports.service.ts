import { Injectable } from '@nestjs/common';
import { auditDetail, auditSnapshot } from '#libs/audit';
import type { Principal } from '#libs/auth';
import { TenantDb } from '#libs/database';
import { type ExportFilter, type ExportJob, Exports } from '#libs/exports';
import type { Download, WantedRange } from '#libs/http';
import { type AuditScope, tenantOf } from '../audit-events.service.js';
import { AUDIT_EXPORT, type AuditExportParameters } from './audit-export.kind.js';

/** Each method throws `Forbidden` when the log of the installation is asked for by somebody who does not run it. */
@Injectable()
export class AuditExportsService {
  constructor(
    private readonly db: TenantDb,
    private readonly exports: Exports,
  ) {}

  /**
   * An export of what has been committed by now. It is recorded in the log that it copies.
   *
   * @throws TooManyExports
   */
  async request(
    principal: Principal,
    scope: AuditScope,
    { format, gzip, filter }: Omit<AuditExportParameters, 'filter'> & { filter: object },
  ): Promise<ExportJob> {
    const tenantId = tenantOf(principal, scope);
    return this.db.change(tenantId, async (tx) => {
      const parameters = { format, gzip, filter: { ...filter, snapshot: await auditSnapshot(tx) } };
      const request = { tenantId, requestedBy: principal.userId, kind: AUDIT_EXPORT, parameters };
      const job = await this.exports.request(tx, request);
      auditDetail({ targets: [{ type: 'export', id: job.id }], detail: { scope, format, gzip } });
      return job;
    });
  }

  list(
    principal: Principal,
    scope: AuditScope,
    page: { before?: string; limit: number },
  ): Promise<ExportJob[]> {
    return this.exports.list(filterOf(principal, scope), page);
  }

  /** @throws ExportNotFound */
  async get(principal: Principal, scope: AuditScope, id: string): Promise<ExportJob> {
    return this.exports.get(filterOf(principal, scope), id);
  }

  /** The file, or the part of it that a `Range` header asks for. @throws ExportNotFound, ExportNotReady, RangeNotSatisfiable */
  async open(
    principal: Principal,
    scope: AuditScope,
    id: string,
    wanted: WantedRange,
  ): Promise<{ job: ExportJob; file: Download }> {
    auditDetail({ targets: [{ type: 'export', id }], detail: { scope } });
    const job = await this.get(principal, scope, id);
    return { job, file: await this.exports.open(job, wanted) };
  }

  /** @throws ExportNotFound */
  async cancel(principal: Principal, scope: AuditScope, id: string): Promise<void> {
    auditDetail({ targets: [{ type: 'export', id }], detail: { scope } });
    await this.exports.cancel(filterOf(principal, scope), id);
  }
}

function filterOf(principal: Principal, scope: AuditScope): ExportFilter {
  return { tenantId: tenantOf(principal, scope), kinds: [AUDIT_EXPORT] };
}
