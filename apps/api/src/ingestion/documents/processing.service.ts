import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { auditDetail } from '#libs/audit';
import type { Principal } from '#libs/auth';
import { TenantDb } from '#libs/database';
import { GenerationStore } from '../generations/generation.store.js';
import {
  DocumentBusy,
  DocumentNotFailed,
  DocumentNotInReview,
  DocumentNotOpen,
  NothingToRollBackTo,
  PasswordNeeded,
} from '../ingestion.errors.js';
import type { Priority } from '../jobs/job.js';
import { JobStore } from '../jobs/job.store.js';
import { notifyDocumentChanged } from '../jobs/notifications.js';
import { DocumentPasswords } from '../passwords/document-passwords.js';
import type { StageName } from '../workflow/ingestion-stages.js';
import { StageStore } from '../workflow/stage.store.js';
import { type Document, RESTING_STATUSES } from './document.js';
import type { DocumentView } from './document.dto.js';
import { DocumentRedo } from './document-redo.js';
import { DocumentStore } from './document.store.js';
import { DocumentsService } from './documents.service.js';

/** What people may do about the processing of a document. Each change locks the job first, as its stages do. */
@Injectable()
export class ProcessingService {
  constructor(
    private readonly db: TenantDb,
    private readonly service: DocumentsService,
    private readonly documents: DocumentStore,
    private readonly jobs: JobStore,
    private readonly stages: StageStore,
    private readonly generations: GenerationStore,
    private readonly redo: DocumentRedo,
    private readonly passwords: DocumentPasswords,
  ) {}

  /**
   * Goes on where processing failed or was cancelled, or does everything from a stage on again; what was answerable
   * stays so until the new passages are there.
   *
   * @throws DocumentNotFound, NotYourDocument, DocumentBusy, DocumentNotFailed, PasswordNeeded
   */
  retry(
    principal: Principal,
    id: string,
    { fromStage, password }: { fromStage?: StageName; password?: string } = {},
    correlationId: string | undefined,
  ): Promise<DocumentView> {
    return this.change(principal, id, async (tx, document) => {
      const { status } = document;
      if (!RESTING_STATUSES.has(status)) throw new DocumentBusy(status);
      if (!fromStage && status !== 'failed' && status !== 'cancelled') throw new DocumentNotFailed(status);
      if (password !== undefined) await this.passwords.save(tx, id, password);
      if (fromStage) {
        // What a person has not decided about is done again too, or its gate would be gone around.
        const from = [fromStage, ...(await this.stages.listUndecided(tx, id))];
        if (await this.redo.needsPassword(tx, document, from)) throw new PasswordNeeded();
        await this.redo.prepare(tx, document, from);
      }
      await this.documents.setQueued(tx, id);
      await this.jobs.requeue(tx, id, correlationId);
      auditDetail({ detail: { from_stage: fromStage ?? null } });
    });
  }

  /**
   * Approved, the job goes on behind the gate; rejected, the document fails with `rejected-by-review`. Saying the same
   * again changes nothing.
   *
   * @throws DocumentNotFound, NotYourDocument, DocumentNotInReview
   */
  review(
    principal: Principal,
    id: string,
    { decision, reason }: { decision: 'approve' | 'reject'; reason?: string },
    correlationId: string | undefined,
  ): Promise<DocumentView> {
    return this.change(principal, id, async (tx, { status, reasonCode }) => {
      if (status !== 'needs_review') {
        if (await this.stages.isDecided(tx, id, decision)) return false;
        throw new DocumentNotInReview(status);
      }
      await this.stages.decide(tx, id, decision);
      if (decision === 'approve') {
        await this.documents.setQueued(tx, id);
        await this.jobs.requeue(tx, id, correlationId);
      } else {
        const message = `It was rejected in a review${reason ? `: ${reason}` : '.'}`;
        await this.documents.setFailed(tx, id, { code: 'rejected-by-review', message });
        await this.jobs.revoke(tx, id, 'failed');
      }
      auditDetail({ detail: { decision, gate: reasonCode, reason: reason ?? null } });
    });
  }

  /**
   * Stops the processing, wherever it is, and removes what was half made; what is answerable stays. The worker is told
   * at once, and writes nothing from the moment on at which this is committed. A document that was being made anew, or
   * failed in that, is ready again.
   *
   * @throws DocumentNotFound, NotYourDocument, DocumentNotOpen
   */
  cancel(principal: Principal, id: string): Promise<DocumentView> {
    return this.change(principal, id, async (tx, document) => {
      const { status } = document;
      if (status === 'cancelled') return false;
      const isOver =
        status === 'ready' || (status === 'failed' && !(await this.redo.isMadeAnew(tx, document)));
      if (isOver) throw new DocumentNotOpen(status);
      await this.redo.cancel(tx, document);
    });
  }

  /**
   * Back to what questions found before the document was made anew; the two change places.
   *
   * @throws DocumentNotFound, NotYourDocument, DocumentBusy, NothingToRollBackTo
   */
  rollBack(principal: Principal, id: string): Promise<DocumentView> {
    return this.change(principal, id, async (tx, { status, liveGeneration }) => {
      if (!RESTING_STATUSES.has(status)) throw new DocumentBusy(status);
      if (!(await this.generations.rollBack(tx, id))) throw new NothingToRollBackTo();
      auditDetail({ detail: { from_generation: liveGeneration } });
    });
  }

  /** @throws DocumentNotFound, NotYourDocument, DocumentNotOpen when nothing of it is left to do */
  prioritize(principal: Principal, id: string, priority: Priority): Promise<DocumentView> {
    return this.change(principal, id, async (tx, document) => {
      if (document.priority === priority) return false;
      if (document.status === 'ready') throw new DocumentNotOpen(document.status);
      await this.jobs.setPriority(tx, id, priority);
      auditDetail({ detail: { priority } });
    });
  }

  /** `work` returns false when there was nothing to change. */
  private change(
    principal: Principal,
    id: string,
    work: (tx: EntityManager, document: Document) => Promise<void | false>,
  ): Promise<DocumentView> {
    return this.db.change(principal.tenantId, async (tx) => {
      await this.jobs.lock(tx, id);
      const document = await this.service.getOwn(tx, principal, id);
      auditDetail({ targets: [{ type: 'document', id }] });
      if ((await work(tx, document)) !== false) await notifyDocumentChanged(tx, id);
      return this.service.view(tx, principal, id);
    });
  }
}
