import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { TenantDb } from '#libs/database';
import { DomainError } from '#libs/errors';
import { JobStore } from '../jobs/job.store.js';
import type { Attachment, ExtractionWarning } from '../parsing/extracted-document.js';
import { cleanFileName, titleOf } from '../uploads/clean-name.js';
import { Intake, type ReceivedFile } from '../uploads/intake.js';
import { STAGE_NAMES } from '../workflow/ingestion-stages.js';
import type { Task } from '../workflow/stage-work.js';
import { AttachmentStore } from './attachment.store.js';
import { documentId } from './document.js';
import { DocumentStore } from './document.store.js';

/** Files inside a document that wait to become documents. */
export interface PreparedChildren {
  /** One for each file that was left out. */
  readonly warnings: ExtractionWarning[];
  /** In the transaction that makes durable what was read of the parent. */
  commit(tx: EntityManager): Promise<void>;
  /** Leaves nothing behind; harmless after `commit`. */
  discard(): Promise<void>;
}

/** Makes documents of what is attached to mails and embedded in PDFs. */
@Injectable()
export class ChildDocuments {
  constructor(
    private readonly db: TenantDb,
    private readonly documents: DocumentStore,
    private readonly attachments: AttachmentStore,
    private readonly jobs: JobStore,
    private readonly intake: Intake,
  ) {}

  /**
   * Brings the files of a document into the store. What cannot be read, is too large, or one too many, is left out
   * with a warning: nobody asked for it by itself.
   *
   * @throws StorageUnavailable, ScannerUnavailable; nothing is left behind then
   */
  async prepare(
    task: Pick<Task, 'document' | 'job'>,
    attachments: readonly Attachment[],
    signal: AbortSignal,
  ): Promise<PreparedChildren> {
    const parent = task.document;
    const children = new Children(task, this.documents, this.attachments, this.jobs);
    if (attachments.length === 0) return children;
    const depth = await this.db.read(parent.tenantId, (tx) => this.attachments.depth(tx, parent.id));
    try {
      for (const [index, attachment] of attachments.entries()) {
        const isAllowed = depth < MAX_DEPTH && index < MAX_CHILDREN;
        const file = isAllowed ? await this.receive(parent.tenantId, attachment, signal) : undefined;
        await children.add(attachment.filename, file);
      }
    } catch (error) {
      await children.discard();
      throw error;
    }
    return children;
  }

  /** Undefined when the file cannot become a document. */
  private async receive(
    tenantId: string,
    { filename, bytes }: Attachment,
    signal: AbortSignal,
  ): Promise<ReceivedFile | undefined> {
    try {
      return await this.intake.receive(tenantId, { content: once(bytes), filename }, signal);
    } catch (error) {
      if (error instanceof DomainError && error.kind !== 'unavailable') return undefined;
      throw error;
    }
  }
}

class Children implements PreparedChildren {
  readonly warnings: ExtractionWarning[] = [];
  private readonly files = new Map<string, { filename: string; file: ReceivedFile }>();

  constructor(
    private readonly task: Pick<Task, 'document' | 'job'>,
    private readonly documents: DocumentStore,
    private readonly attachments: AttachmentStore,
    private readonly jobs: JobStore,
  ) {}

  async add(filename: string, file: ReceivedFile | undefined): Promise<void> {
    const hash = file?.sha256.toString('hex');
    if (!file || !hash) this.warnings.push({ code: 'attachment-skipped' });
    // The same file twice in one mail is there under its first name.
    else if (this.files.has(hash)) await file.discard();
    else this.files.set(hash, { filename: cleanFileName(filename), file });
  }

  async commit(tx: EntityManager): Promise<void> {
    const { document: parent, job } = this.task;
    if (this.files.size === 0) return;
    // Somebody may have changed it since the document was looked at.
    const { priority } = (await this.documents.find(tx, parent.id)) ?? parent;
    // Always in the same order, so that two mails with the same files do not wait for each other.
    const files = [...this.files].sort(([a], [b]) => (a < b ? -1 : 1));
    for (const [, { filename, file }] of files) {
      await this.documents.lockContent(tx, file.sha256);
      await file.keep();
      const id = documentId({ tenantId: parent.tenantId, userId: parent.ownerId }, file.sha256);
      const enqueued = { documentId: id, correlationId: job.correlationId ?? undefined, priority };
      if (await this.insertUnlessThere(tx, id, filename, file)) {
        await this.attachments.shareAsParents(tx, [id]);
        await this.jobs.enqueue(tx, enqueued, STAGE_NAMES);
      }
      await this.attachments.link(tx, parent.id, id);
    }
  }

  /** False when the person has the file already, from an upload or another mail. */
  private async insertUnlessThere(
    tx: EntityManager,
    id: string,
    filename: string,
    { mediaType, sizeBytes, sha256 }: ReceivedFile,
  ): Promise<boolean> {
    const { id: parentId, ownerId, collection, tags } = this.task.document;
    // Until it is shared as its parent is.
    const inherited = { parentId, ownerId, visibility: 'private' as const, collection, tags };
    const title = titleOf(filename);
    for (;;) {
      if (
        await this.documents.insert(tx, { id, ...inherited, title, filename, mediaType, sizeBytes, sha256 })
      )
        return true;
      // Deleting takes the job's lock first, so the document that is found now stays.
      await this.jobs.lock(tx, id);
      if (await this.documents.find(tx, id)) return false;
    }
  }

  async discard(): Promise<void> {
    for (const { file } of this.files.values()) await file.discard();
  }
}

async function* once(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes;
}

/** A mail in a mail in a mail. */
const MAX_DEPTH = 3;
const MAX_CHILDREN = 100;
