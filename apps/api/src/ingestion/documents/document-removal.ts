import { Injectable, Logger } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { LegalHolds } from '#libs/audit';
import { TenantDb } from '#libs/database';
import { DeletedDocuments, PassageStore } from '../../rag/index.js';
import { BlobStore } from '../blobs/blob.store.js';
import { JobStore } from '../jobs/job.store.js';
import { notifyDocumentChanged, notifyJobRevoked } from '../jobs/notifications.js';
import { AttachmentStore } from './attachment.store.js';
import type { Document } from './document.js';
import { DocumentStore } from './document.store.js';

/** What is left of a document once its rows are gone: a mark against old answers, and its file. */
export type RemovedDocument = Pick<Document, 'id' | 'sha256'>;

/**
 * The one way in which documents go, whoever wants it: somebody who deletes one, an erasure, or their age. Two steps,
 * because a file cannot be removed in a transaction: rows first, and what they referred to once that is committed.
 */
@Injectable()
export class DocumentRemoval {
  private readonly logger = new Logger(DocumentRemoval.name);

  constructor(
    private readonly db: TenantDb,
    private readonly documents: DocumentStore,
    private readonly jobs: JobStore,
    private readonly passages: PassageStore,
    private readonly blobs: BlobStore,
    private readonly deleted: DeletedDocuments,
    private readonly attachments: AttachmentStore,
    private readonly holds: LegalHolds,
  ) {}

  /** Waits for a write of its job to end. Take it before the document is looked at. */
  lock(tx: EntityManager, documentId: string): Promise<void> {
    return this.jobs.lock(tx, documentId);
  }

  /**
   * Removes the document with everything that was made of it, and the files that came only inside it. A worker that is
   * at it loses its job with the row and writes nothing more. Returns what was removed; none where there is no such
   * document.
   *
   * @throws LegalHoldInForce when it, its owner, its collection or its tenant is held, or what came inside it
   */
  async remove(tx: EntityManager, documentId: string): Promise<Document[]> {
    await this.lock(tx, documentId);
    const document = await this.documents.find(tx, documentId);
    if (!document) return [];
    await this.assertNotHeld(tx, document);
    const children = await this.attachments.release(tx, documentId);
    await this.passages.deleteDocument(tx, { tenantId: document.tenantId, documentId });
    await this.documents.delete(tx, documentId);
    await notifyJobRevoked(tx, documentId);
    await notifyDocumentChanged(tx, documentId);
    const removed = [document];
    for (const child of children) removed.push(...(await this.remove(tx, child)));
    return removed;
  }

  private async assertNotHeld(tx: EntityManager, document: Document): Promise<void> {
    const { tenantId, ownerId: userId, id: documentId, collection } = document;
    const subject = { tenantId, userId, documentId, collection: collection ?? undefined };
    await this.holds.assertNone(tx, subject);
  }

  /**
   * After the commit: no answer that was kept cites them any more, and their files go. Should that fail, they are
   * deleted all the same, and the sweep of orphans takes the files later.
   */
  async settle(tenantId: string, removed: readonly RemovedDocument[]): Promise<void> {
    for (const { id, sha256 } of removed) {
      await this.deleted.add(tenantId, id);
      try {
        await this.db.run(tenantId, (tx) => this.releaseContent(tx, tenantId, sha256));
      } catch (error) {
        this.logger.warn(error, 'the file of a deleted document is left to the sweep');
      }
    }
  }

  /** Removes the file unless a document of the tenant, or an archive that is still to be unpacked, needs it. */
  async releaseContent(tx: EntityManager, tenantId: string, sha256: Buffer): Promise<void> {
    await this.documents.lockContent(tx, sha256);
    if (!(await this.documents.isContentUsed(tx, sha256))) await this.blobs.delete(tenantId, sha256);
  }
}
