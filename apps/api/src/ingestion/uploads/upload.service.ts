import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { auditDetail } from '#libs/audit';
import { type Principal, principalAllows } from '#libs/auth';
import { TenantDb } from '#libs/database';
import { AttachmentStore } from '../documents/attachment.store.js';
import { type Document, documentId, pendingStage, type Reader } from '../documents/document.js';
import type { DocumentView } from '../documents/document.dto.js';
import { DocumentStore } from '../documents/document.store.js';
import { SharingNotAllowed } from '../ingestion.errors.js';
import type { Priority } from '../jobs/job.js';
import { JobStore } from '../jobs/job.store.js';
import { notifyDocumentChanged } from '../jobs/notifications.js';
import { DocumentPasswords } from '../passwords/document-passwords.js';
import { STAGE_NAMES } from '../workflow/ingestion-stages.js';
import { cleanFileName, titleOf } from './clean-name.js';
import { Intake, type ReceivedFile } from './intake.js';
import type { FilePart, UploadForm } from './upload-form.js';

@Injectable()
export class UploadService {
  constructor(
    private readonly db: TenantDb,
    private readonly documents: DocumentStore,
    private readonly jobs: JobStore,
    private readonly attachments: AttachmentStore,
    private readonly passwords: DocumentPasswords,
    private readonly intake: Intake,
  ) {}

  get maxBytes(): number {
    return this.intake.maxBytes;
  }

  /** @throws what `Intake.receive` throws */
  receive(
    { tenantId }: Principal,
    { file, filename, mimetype }: Pick<FilePart, 'file' | 'filename' | 'mimetype'>,
    signal: AbortSignal,
  ): Promise<ReceivedFile> {
    return this.intake.receive(tenantId, { content: file, filename, declaredType: mimetype }, signal);
  }

  /**
   * Makes the document and its job in one transaction. The same file of the same person is the same document: its
   * fields stay as they are, and processing starts again only if it had failed or was cancelled.
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
      if (fields.visibility === 'tenant' && !principalAllows(principal, 'document.share'))
        throw new SharingNotAllowed();
      return await this.db.change(principal.tenantId, async (tx) => {
        const { view, isRepeat } = await this.acceptIn(tx, principal, form, correlationId);
        auditDetail({
          targets: [{ type: 'document', id: view.document.id }],
          detail: { media_type: content.mediaType, size_bytes: content.sizeBytes, repeated: isRepeat },
        });
        return view;
      });
    } finally {
      await content.discard();
    }
  }

  /**
   * The same as part of a transaction, for a person who may do what the fields say. Discarding the file is left to the
   * caller.
   *
   * @returns isRepeat when he had the document before
   */
  async acceptIn(
    tx: EntityManager,
    person: Reader,
    form: UploadForm<ReceivedFile>,
    correlationId: string | undefined,
  ): Promise<{ view: DocumentView; isRepeat: boolean }> {
    const { content, fields } = form;
    // What is waited for together is sent together, in this order, and costs one round trip.
    const [, inserted] = await Promise.all([
      this.documents.lockContent(tx, content.sha256),
      this.insert(tx, person, form),
    ]);
    // Also for content that is there: should the file on the disk be damaged or missing, this mends it.
    await content.keep();
    const { document, isNew } = inserted
      ? { document: inserted, isNew: true }
      : await this.findOrInsert(tx, person, form);
    const { id, status } = document;
    if (fields.password && (isNew || status !== 'ready')) await this.passwords.save(tx, id, fields.password);
    if (isNew)
      return { view: await this.enqueue(tx, document, fields.priority, correlationId), isRepeat: false };
    // What came attached to something is now there in its own right.
    await this.attachments.setUploaded(tx, id);
    if (status === 'failed' || status === 'cancelled') await this.restart(tx, id, correlationId);
    return { view: await this.view(tx, id), isRepeat: true };
  }

  /** A new document is seen as it was just written, without being read again. */
  private async enqueue(
    tx: EntityManager,
    document: Document,
    priority: Priority = 'normal',
    correlationId: string | undefined,
  ): Promise<DocumentView> {
    await this.jobs.enqueue(tx, { documentId: document.id, correlationId, priority }, STAGE_NAMES);
    return { document: { ...document, priority }, stages: STAGE_NAMES.map(pendingStage) };
  }

  /** Undefined when the document is there already. */
  private insert(
    tx: EntityManager,
    person: Reader,
    { content, fields, filename }: UploadForm<ReceivedFile>,
  ): Promise<Document | undefined> {
    const cleanName = cleanFileName(filename);
    return this.documents.insert(tx, {
      id: documentId(person, content.sha256),
      ownerId: person.userId,
      visibility: fields.visibility,
      collection: fields.collection ?? null,
      tags: fields.tags,
      title: fields.title ?? titleOf(cleanName),
      filename: cleanName,
      mediaType: content.mediaType,
      sizeBytes: content.sizeBytes,
      sha256: content.sha256,
    });
  }

  /** The document that was there, or a new one when that had gone meanwhile. */
  private async findOrInsert(
    tx: EntityManager,
    person: Reader,
    form: UploadForm<ReceivedFile>,
  ): Promise<{ document: Document; isNew: boolean }> {
    const id = documentId(person, form.content.sha256);
    for (;;) {
      // Deleting takes the job's lock first, so the document that is found now stays.
      await this.jobs.lock(tx, id);
      const document = await this.documents.find(tx, id);
      if (document) return { document, isNew: false };
      const inserted = await this.insert(tx, person, form);
      if (inserted) return { document: inserted, isNew: true };
    }
  }

  private async restart(tx: EntityManager, id: string, correlationId: string | undefined): Promise<void> {
    await this.documents.setQueued(tx, id);
    await this.jobs.requeue(tx, id, correlationId);
    await notifyDocumentChanged(tx, id);
  }

  private async view(tx: EntityManager, id: string): Promise<DocumentView> {
    const [document, stages] = await Promise.all([
      this.documents.find(tx, id),
      this.documents.listStages(tx, [id]),
    ]);
    return { document: document!, stages: stages.get(id) ?? [] };
  }
}
