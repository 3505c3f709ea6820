import { Injectable, Logger } from '@nestjs/common';
import { AuditLog, LegalHoldInForce, systemActor } from '#libs/audit';
import { TenantDb } from '#libs/database';
import { DependencyUnavailable } from '#libs/errors';
import { counter } from '#libs/observability';
import { DocumentRemoval } from '../../ingestion/index.js';
import type { ExpiringDocument } from './retention.js';
import { RetentionService } from './retention.service.js';

const expired = counter({
  name: 'navigator_documents_expired_total',
  help: 'Documents that were deleted because of their age, with what came inside them',
});

const BATCH = 100;

/** Deletes documents that are older than their tenant keeps them, in the way in which people delete them. */
@Injectable()
export class RetentionSweep {
  private readonly logger = new Logger(RetentionSweep.name);

  constructor(
    private readonly db: TenantDb,
    private readonly retention: RetentionService,
    private readonly removal: DocumentRemoval,
    private readonly audit: AuditLog,
  ) {}

  /** Returns how many documents went. Several processes may sweep at the same time: each document goes once. */
  async sweep(signal: AbortSignal): Promise<number> {
    const tenants = await this.db.runAsWorker((tx) =>
      tx.query<{ id: string }[]>(
        `select tenant_id as id from tenant
         where suspended_at is null and settings ?| array['document_retention_days', 'collection_retention_days']`,
      ),
    );
    let removed = 0;
    for (const { id } of tenants) removed += await this.sweepTenant(id, signal);
    if (removed > 0) this.logger.log({ removed }, 'documents were deleted because of their age');
    return removed;
  }

  private async sweepTenant(tenantId: string, signal: AbortSignal): Promise<number> {
    let removed = 0;
    for (;;) {
      const due = await this.db.read(tenantId, (tx) => this.retention.due(tx, tenantId, { limit: BATCH }));
      let gone = 0;
      for (const document of due) {
        if (signal.aborted) return removed + gone;
        gone += await this.expire(tenantId, document);
      }
      removed += gone;
      // What stays although it was due was held in the meantime, or could not be removed.
      if (due.length < BATCH || gone === 0) return removed;
    }
  }

  /**
   * One for each transaction, with its event. Whether it is still due is asked in there: it may be kept longer by now, and
   * this cannot be taken back. One that cannot be removed is in the way of no other.
   */
  private async expire(tenantId: string, { id }: ExpiringDocument): Promise<number> {
    try {
      const removed = await this.db.run(tenantId, async (tx) => {
        await this.removal.lock(tx, id);
        const [due] = await this.retention.due(tx, tenantId, { id, limit: 1 });
        const documents = due ? await this.removal.remove(tx, id) : [];
        if (due && documents.length > 0)
          await this.audit.append(tx, {
            action: 'privacy.expired',
            category: 'data.write',
            actor: systemActor(tenantId),
            targets: documents.map((document) => ({ type: 'document', id: document.id })),
            outcome: 'success',
            context: {},
            detail: { owner_id: due.ownerId, expired_at: due.expiresAt.toISOString() },
          });
        return documents;
      });
      await this.removal.settle(tenantId, removed);
      expired.inc(removed.length);
      return removed.length;
    } catch (error) {
      if (error instanceof DependencyUnavailable) throw error;
      if (!(error instanceof LegalHoldInForce))
        this.logger.warn({ documentId: id, reason: (error as Error).name }, 'an old document is still there');
      return 0;
    }
  }
}
