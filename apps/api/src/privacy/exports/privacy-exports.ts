import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { auditDetail } from '#libs/audit';
import { type Principal, principalAllows } from '#libs/auth';
import { TenantDb } from '#libs/database';
import { type ExportFilter, type ExportJob, Exports } from '#libs/exports';
import type { Download, WantedRange } from '#libs/http';
import { ColleaguesService } from '../../tenants/index.js';
import type { ErasureRun } from '../erasure/erasure.js';
import type { StepDone } from '../erasure/step-runner.js';
import { NotYourData } from '../privacy.errors.js';
import { PERSON, TENANT } from './privacy.kinds.js';

/** Of whom: oneself, somebody of one's tenant, or all of it. */
export type CopyOf = { userId: string } | 'tenant';

/** Copies of what is kept of people and tenants. One’s own is everybody’s; another’s is an administrator’s to ask for. */
@Injectable()
export class PrivacyExports {
  constructor(
    private readonly db: TenantDb,
    private readonly exports: Exports,
    private readonly colleagues: ColleaguesService,
  ) {}

  /** @throws NotYourData, UserNotFound, TooManyExports */
  async request(principal: Principal, of: CopyOf): Promise<ExportJob> {
    const { tenantId, userId } = principal;
    const isOwn = of !== 'tenant' && of.userId === userId;
    if (!isOwn && !principalAllows(principal, 'privacy.manage')) throw new NotYourData();
    return this.db.change(tenantId, async (tx) => {
      if (of !== 'tenant' && !isOwn) await this.colleagues.find(tx, tenantId, of.userId);
      const job = await this.exports.request(tx, {
        tenantId,
        requestedBy: userId,
        kind: of === 'tenant' ? TENANT : PERSON,
        parameters: of === 'tenant' ? {} : { user_id: of.userId },
      });
      const subject = of === 'tenant' ? { type: 'tenant', id: tenantId } : { type: 'user', id: of.userId };
      auditDetail({ targets: [subject, { type: 'export', id: job.id }], detail: { kind: job.kind } });
      return job;
    });
  }

  /** @throws ExportNotFound */
  get(principal: Principal, id: string): Promise<ExportJob> {
    return this.exports.get(filterOf(principal), id);
  }

  list(principal: Principal, page: { before?: string; limit: number }): Promise<ExportJob[]> {
    return this.exports.list(filterOf(principal), page);
  }

  /** @throws ExportNotFound */
  async cancel(principal: Principal, id: string): Promise<void> {
    auditDetail({ targets: [{ type: 'export', id }] });
    await this.exports.cancel(filterOf(principal), id);
  }

  /** @throws ExportNotFound, ExportNotReady, ExportFileMissing, RangeNotSatisfiable */
  async open(
    principal: Principal,
    id: string,
    wanted: WantedRange,
  ): Promise<{ job: ExportJob; file: Download }> {
    const job = await this.get(principal, id);
    auditDetail({ targets: [{ type: 'export', id }], detail: { kind: job.kind, bytes: job.bytes } });
    return { job, file: await this.exports.open(job, wanted) };
  }

  /** Copies that somebody who is erased is in, and whatever he has asked for. */
  async removeOf(tx: EntityManager, { tenantId, userId }: ErasureRun): Promise<StepDone> {
    const rows = await tx.query<{ id: string; kind: string }[]>(
      `select id, kind from export_job
       where tenant_id = $1 and (requested_by = $2 or kind = '${TENANT}' or parameters ->> 'user_id' = $2::text)`,
      [tenantId, userId],
    );
    // Ends whoever writes one, and takes the file away.
    for (const { id, kind } of rows) await this.exports.cancel({ tenantId, kinds: [kind] }, id);
    await tx.query(`delete from export_job where tenant_id = $1 and id = any ($2)`, [
      tenantId,
      rows.map(({ id }) => id),
    ]);
    return { counts: { export_job: rows.length } };
  }
}

/**
 * Whoever may ask for another’s sees all of the tenant’s; everybody else copies of himself that he asked for. Those of
 * others, from when he was an administrator, are not his any more.
 */
function filterOf(principal: Principal): ExportFilter {
  const { tenantId, userId } = principal;
  if (principalAllows(principal, 'privacy.manage')) return { tenantId, kinds: [PERSON, TENANT] };
  return { tenantId, kinds: [PERSON], requestedBy: userId, parameters: { user_id: userId } };
}
