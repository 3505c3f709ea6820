import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { auditDetail } from '#libs/audit';
import { type Principal, principalAllows } from '#libs/auth';
import { TenantDb } from '#libs/database';
import { decodeCursor, type Download, page, type Page, rangeIn, type WantedRange } from '#libs/http';
import { z } from 'zod';
import { PassageStore } from '../../rag/index.js';
import { BlobStore } from '../blobs/blob.store.js';
import { DocumentNotFound, NotYourDocument, PassageNotFound } from '../ingestion.errors.js';
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
import { DocumentRemoval } from './document-removal.js';
import { DocumentStore } from './document.store.js';
import { Forecast } from './forecast.js';

const DocumentCursor = z.tuple([z.string().max(40), z.uuid()]);
const PassageCursor = z.tuple([z.number().int()]);

/** Documents as their readers see them: the own ones, and those that are shared with them (`mayRead`). */
@Injectable()
export class DocumentsService {
  constructor(
    private readonly db: TenantDb,
    private readonly documents: DocumentStore,
    private readonly passages: PassageStore,
    private readonly blobs: BlobStore,
    private readonly removal: DocumentRemoval,
    private readonly forecast: Forecast,
  ) {}

  list(
    reader: Reader,
    { cursor, limit, q, parent_id: parentId, ...filter }: ListDocuments,
  ): Promise<Page<DocumentBody>> {
    const after = cursor === undefined ? undefined : decodeCursor(cursor, DocumentCursor);
    const position = after && { createdAt: after[0], id: after[1] };
    return this.db.read(reader.tenantId, async (tx) => {
      const rows = await this.documents.list(
        tx,
        reader,
        { ...filter, parentId, titlePart: q },
        position,
        limit + 1,
      );
      const stagesOf = await this.documents.listStages(
        tx,
        rows.map(({ document }) => document.id),
      );
      const views = rows.map((row) => ({ ...row, stages: stagesOf.get(row.document.id) ?? [] }));
      const expected = await this.forecast.expectedAt(tx, reader.tenantId, views);
      return page(
        views,
        limit,
        ({ position: { createdAt, id } }) => [createdAt, id],
        (view) => toDocumentBody({ ...view, expectedAt: expected.get(view.document.id) }),
      );
    });
  }

  /** @throws DocumentNotFound, also when the reader may not see it */
  get(reader: Reader, id: string): Promise<DocumentView> {
    return this.db.read(reader.tenantId, (tx) => this.view(tx, reader, id));
  }

  /** The file, or the part of it that a `Range` header asks for. @throws DocumentNotFound, ContentMissing, RangeNotSatisfiable */
  async openContent(
    reader: Reader,
    id: string,
    wanted: WantedRange = {},
  ): Promise<{ document: Document; file: Download }> {
    const document = await this.db.read(reader.tenantId, (tx) => this.getVisible(tx, reader, id));
    const { sha256, sizeBytes } = document;
    const etag = `"${sha256.toString('hex')}"`;
    const part = rangeIn(wanted, { sizeBytes, etag });
    return { document, file: { etag, part, ...(await this.blobs.read(reader.tenantId, sha256, part)) } };
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

  /**
   * Removes the document with everything that was made of it, and the files that came only inside it.
   *
   * @throws DocumentNotFound, NotYourDocument, LegalHoldInForce
   */
  async delete(principal: Principal, id: string): Promise<void> {
    const { tenantId } = principal;
    const removed = await this.db.change(tenantId, async (tx) => {
      await this.removal.lock(tx, id);
      await this.getOwn(tx, principal, id);
      auditDetail({ targets: [{ type: 'document', id }] });
      return this.removal.remove(tx, id);
    });
    await this.removal.settle(tenantId, removed);
  }

  /** @throws DocumentNotFound */
  async view(tx: EntityManager, reader: Reader, id: string): Promise<DocumentView> {
    const document = await this.getVisible(tx, reader, id);
    const stages = (await this.documents.listStages(tx, [id])).get(id) ?? [];
    const expected = await this.forecast.expectedAt(tx, reader.tenantId, [{ document, stages }]);
    return { document, stages, expectedAt: expected.get(id) };
  }

  private async getVisible(tx: EntityManager, reader: Reader, id: string): Promise<Document> {
    const document = await this.documents.find(tx, id, reader);
    if (!document) throw new DocumentNotFound(id);
    return document;
  }

  /**
   * For changes: one's own, or a shared one for those who manage the tenant's documents.
   *
   * @throws DocumentNotFound, NotYourDocument
   */
  async getOwn(tx: EntityManager, principal: Principal, id: string): Promise<Document> {
    const document = await this.getVisible(tx, principal, id);
    if (document.ownerId !== principal.userId && !principalAllows(principal, 'document.share'))
      throw new NotYourDocument();
    return document;
  }
}
