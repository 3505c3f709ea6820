import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { auditDetail } from '#libs/audit';
import { type Principal, roleAllows } from '#libs/auth';
import { TenantDb } from '#libs/database';
import { BlobStore, type StagedBlob } from '../blobs/blob.store.js';
import { type Document, documentId } from '../documents/document.js';
import type { DocumentView } from '../documents/document.dto.js';
import { DocumentStore } from '../documents/document.store.js';
import { type UploadConfig, uploadSection } from '../ingestion.config.js';
import { SharingNotAllowed } from '../ingestion.errors.js';
import { JobStore } from '../jobs/job.store.js';
import { notifyDocumentChanged } from '../jobs/notifications.js';
import { STAGE_NAMES } from '../workflow/ingestion-stages.js';
import { cleanFileName, titleOf } from './clean-name.js';
import { firstLook, HEAD_BYTES } from './first-look.js';
import type { FilePart, UploadForm } from './upload-form.js';

/** A file that has arrived and is of a type that can be read. */
export interface ReceivedFile extends StagedBlob {
  mediaType: string;
}

@Injectable()
export class UploadService {
  constructor(
    private readonly db: TenantDb,
    private readonly documents: DocumentStore,
    private readonly jobs: JobStore,
    private readonly blobs: BlobStore,
    @Inject(uploadSection.token) private readonly config: UploadConfig,
  ) {}

  get maxBytes(): number {
    return this.config.maxBytes;
  }

  /**
   * Streams a file to the store. Only its first bytes are looked at: what takes real reading is found out by the
   * stage that reads it.
   *
   * @throws EmptyDocument, UnsupportedDocumentType, MistypedDocument, DocumentTooLarge; nothing is left behind then
   */
  async receive(
    { tenantId }: Principal,
    { file, filename, mimetype }: Pick<FilePart, 'file' | 'filename' | 'mimetype'>,
    signal: AbortSignal,
  ): Promise<ReceivedFile> {
    let mediaType = '';
    const content = await this.blobs.receive(file, tenantId, {
      limitBytes: this.config.maxBytes,
      headBytes: HEAD_BYTES,
      signal,
      inspect: async (head) => {
        mediaType = await firstLook(head, { filename, declaredType: mimetype });
      },
    });
    return { ...content, mediaType };
  }

  /**
   * Makes the document and its job in one transaction. The same file of the same person is the same document: its
   * fields stay as they are, and processing starts again only if it had failed.
   *
   * @throws SharingNotAllowed
   */
  async accept(
    principal: Principal,
    form: UploadForm<ReceivedFile>,
    correlationId: string | undefined,
  ): Promise<DocumentView> {
    const { content, fields } = form;
    try {
      if (fields.visibility === 'tenant' && !roleAllows(principal.role, 'document.share'))
        throw new SharingNotAllowed();
      return await this.db.change(principal.tenantId, async (tx) => {
        await this.documents.lockContent(tx, content.sha256);
        // Also for content that is there: should the file on the disk be damaged or missing, this mends it.
        await content.keep();
        const { document, repeated } = await this.insertOrFind(tx, principal, form);
        if (!repeated) await this.jobs.enqueue(tx, { documentId: document.id, correlationId }, STAGE_NAMES);
        else if (document.status === 'failed') await this.restart(tx, document.id, correlationId);
        auditDetail({
          targets: [{ type: 'document', id: document.id }],
          detail: { media_type: content.mediaType, size_bytes: content.sizeBytes, repeated },
        });
        return this.view(tx, document.id);
      });
    } finally {
      await content.discard();
    }
  }

  private async insertOrFind(
    tx: EntityManager,
    principal: Principal,
    form: UploadForm<ReceivedFile>,
  ): Promise<{ document: Pick<Document, 'id' | 'status'>; repeated: boolean }> {
    const { content, fields } = form;
    const filename = cleanFileName(form.filename);
    const id = documentId(principal, content.sha256);
    for (;;) {
      const inserted = await this.documents.insert(tx, {
        id,
        ownerId: principal.userId,
        visibility: fields.visibility,
        collection: fields.collection ?? null,
        tags: fields.tags,
        title: fields.title ?? titleOf(filename),
        filename,
        mediaType: content.mediaType,
        sizeBytes: content.sizeBytes,
        sha256: content.sha256,
      });
      if (inserted) return { document: { id, status: 'queued' }, repeated: false };
      // Deleting takes the job's lock first, so the document that is found now stays. Gone meanwhile: once more.
      await this.jobs.lock(tx, id);
      const document = await this.documents.find(tx, id);
      if (document) return { document, repeated: true };
    }
  }

  private async restart(tx: EntityManager, id: string, correlationId: string | undefined): Promise<void> {
    await this.documents.setQueued(tx, id);
    await this.jobs.requeue(tx, id, correlationId);
    await notifyDocumentChanged(tx, id);
  }

  private async view(tx: EntityManager, id: string): Promise<DocumentView> {
    const document = (await this.documents.find(tx, id))!;
    return { document, stages: (await this.documents.listStages(tx, [id])).get(id) ?? [] };
  }
}
