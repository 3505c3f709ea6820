import { Injectable, Logger } from '@nestjs/common';
import type { Readable } from 'node:stream';
import type { EntityManager } from 'typeorm';
import { auditDetail } from '#libs/audit';
import { type Principal, roleAllows } from '#libs/auth';
import { TenantDb } from '#libs/database';
import { decodeCursor, page, type Page } from '#libs/http';
import { z } from 'zod';
import { DeletedDocuments, PassageStore } from '../../rag/index.js';
import { BlobStore } from '../blobs/blob.store.js';
import {
  DocumentNotFailed,
  DocumentNotFound,
  NotYourDocument,
  PassageNotFound,
} from '../ingestion.errors.js';
import { JobStore } from '../jobs/job.store.js';
import { notifyDocumentChanged } from '../jobs/notifications.js';
import type { Document, Reader } from './document.js';
import {
  type DocumentBody,
  type DocumentView,
  type ListDocuments,
  type ListPassages,
  type PassageBody,
  toDocumentBody,
  toPassageBody,
} from './document.dto.js';
import { DocumentStore } from './document.store.js';

const DocumentCursor = z.tuple([z.string().max(40), z.uuid()]);
const PassageCursor = z.tuple([z.number().int()]);

/** Documents as their readers see them: the own ones, and those that are visible to the whole tenant. */
@Injectable()
export class DocumentsService {
  private readonly logger = new Logger(DocumentsService.name);

  constructor(
    private readonly db: TenantDb,
    private readonly documents: DocumentStore,
    private readonly jobs: JobStore,
    private readonly passages: PassageStore,
    private readonly blobs: BlobStore,
    private readonly deleted: DeletedDocuments,
  ) {}

  list(reader: Reader, { cursor, limit, q, ...filter }: ListDocuments): Promise<Page<DocumentBody>> {
    const after = cursor === undefined ? undefined : decodeCursor(cursor, DocumentCursor);
    const position = after && { createdAt: after[0], id: after[1] };
    return this.db.read(reader.tenantId, async (tx) => {
      const rows = await this.documents.list(tx, reader, { ...filter, titlePart: q }, position, limit + 1);
      const stages = await this.documents.listStages(
        tx,
        rows.map(({ document }) => document.id),
      );
      return page(
        rows,
        limit,
        (row) => [row.position.createdAt, row.position.id],
        ({ document }) => toDocumentBody({ document, stages: stages.get(document.id) ?? [] }),
      );
    });
  }

  /** @throws DocumentNotFound, also when the reader may not see it */
  get(reader: Reader, id: string): Promise<DocumentView> {
    return this.db.read(reader.tenantId, (tx) => this.view(tx, reader, id));
  }

  /** @throws DocumentNotFound, ContentMissing */
  async openContent(
    reader: Reader,
    id: string,
  ): Promise<{ document: Document; stream: Readable; sizeBytes: number }> {
    const document = await this.db.read(reader.tenantId, (tx) => this.getVisible(tx, reader, id));
    return { document, ...(await this.blobs.read(reader.tenantId, document.sha256)) };
  }

  /** In reading order; none until the document is answerable. */
  async listPassages(reader: Reader, id: string, query: ListPassages): Promise<Page<PassageBody>> {
    const [after = -1] = query.cursor === undefined ? [] : decodeCursor(query.cursor, PassageCursor);
    return this.db.read(reader.tenantId, async (tx) => {
      const { liveGeneration } = await this.getVisible(tx, reader, id);
      if (liveGeneration === null) return { items: [], next_cursor: null };
      const rows = await this.passages.listPassages(
        tx,
        { tenantId: reader.tenantId, documentId: id, generation: liveGeneration },
        { afterOrdinal: after, limit: query.limit + 1 },
      );
      return page(rows, query.limit, (row) => [row.ordinal], toPassageBody);
    });
  }

  /** @throws DocumentNotFound, PassageNotFound */
  async getPassage(reader: Reader, id: string, passageId: string): Promise<PassageBody> {
    return this.db.read(reader.tenantId, async (tx) => {
      const { liveGeneration } = await this.getVisible(tx, reader, id);
      const passage =
        liveGeneration === null
          ? undefined
          : await this.passages.getPassage(
              tx,
              { tenantId: reader.tenantId, documentId: id, generation: liveGeneration },
              passageId,
            );
      if (!passage) throw new PassageNotFound(passageId);
      return toPassageBody(passage);
    });
  }

  /** Goes on where processing failed. @throws DocumentNotFound, NotYourDocument, DocumentNotFailed */
  retry(principal: Principal, id: string, correlationId: string | undefined): Promise<DocumentView> {
    return this.db.change(principal.tenantId, async (tx) => {
      await this.jobs.lock(tx, id);
      const { status } = await this.getOwn(tx, principal, id);
      if (status !== 'failed') throw new DocumentNotFailed(status);
      await this.documents.setQueued(tx, id);
      await this.jobs.requeue(tx, id, correlationId);
      await notifyDocumentChanged(tx, id);
      auditDetail({ targets: [{ type: 'document', id }] });
      return this.view(tx, principal, id);
    });
  }

  /**
   * Removes the document with everything that was made of it. A worker that is at it loses its job with the row and
   * writes nothing more. @throws DocumentNotFound, NotYourDocument
   */
  async delete(principal: Principal, id: string): Promise<void> {
    const { tenantId } = principal;
    const { sha256 } = await this.db.change(tenantId, async (tx) => {
      await this.jobs.lock(tx, id);
      const document = await this.getOwn(tx, principal, id);
      await this.passages.deleteDocument(tx, { tenantId, documentId: id });
      await this.documents.delete(tx, id);
      await notifyDocumentChanged(tx, id);
      auditDetail({ targets: [{ type: 'document', id }] });
      return document;
    });
    await this.deleted.add(tenantId, id);
    await this.releaseContent(tenantId, sha256);
  }

  /**
   * The file goes when no document of the tenant needs it. Should that fail, the document is deleted all the same,
   * and the sweep of orphans takes the file later.
   */
  private async releaseContent(tenantId: string, sha256: Buffer): Promise<void> {
    try {
      await this.db.run(tenantId, async (tx) => {
        await this.documents.lockContent(tx, sha256);
        if (!(await this.documents.isContentUsed(tx, sha256))) await this.blobs.delete(tenantId, sha256);
      });
    } catch (error) {
      this.logger.warn(error, 'the file of a deleted document is left to the sweep');
    }
  }

  private async view(tx: EntityManager, reader: Reader, id: string): Promise<DocumentView> {
    const document = await this.getVisible(tx, reader, id);
    return { document, stages: (await this.documents.listStages(tx, [id])).get(id) ?? [] };
  }

  private async getVisible(tx: EntityManager, reader: Reader, id: string): Promise<Document> {
    const document = await this.documents.find(tx, id, reader);
    if (!document) throw new DocumentNotFound(id);
    return document;
  }

  /** For changes: one's own, or a shared one for those who manage the tenant's documents. */
  private async getOwn(tx: EntityManager, principal: Principal, id: string): Promise<Document> {
    const document = await this.getVisible(tx, principal, id);
    if (document.ownerId !== principal.userId && !roleAllows(principal.role, 'document.share'))
      throw new NotYourDocument();
    return document;
  }
}
