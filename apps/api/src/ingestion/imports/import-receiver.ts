import { Inject, Injectable } from '@nestjs/common';
import type { Principal } from '#libs/auth';
import { TenantDb } from '#libs/database';
import { DomainError } from '#libs/errors';
import type { EntityManager } from 'typeorm';
import { DocumentStore } from '../documents/document.store.js';
import { UploadInterrupted } from '../ingestion.errors.js';
import { extensionOf } from '../parsing/media-types.js';
import { cleanFileName } from '../uploads/clean-name.js';
import type { FilePart, UploadPart } from '../uploads/upload-form.js';
import { UploadService } from '../uploads/upload.service.js';
import { Archives } from './archives.js';
import type { NewItem } from './import.js';
import { ImportCancelled, TooManyItems } from './import.errors.js';
import { type FormFields, readImportForm } from './import-form.js';
import { ImportStore } from './import.store.js';
import { type ImportConfig, importSection } from './imports.config.js';
import { ImportsService } from './imports.service.js';
import { importItems } from './imports.metrics.js';

interface Receiving {
  principal: Principal;
  correlationId: string | undefined;
  signal: AbortSignal;
}

/** Brings in the files of one request, each by itself: what is wrong with one says nothing about the others. */
@Injectable()
export class ImportReceiver {
  constructor(
    private readonly db: TenantDb,
    private readonly service: ImportsService,
    private readonly imports: ImportStore,
    private readonly documents: DocumentStore,
    private readonly uploads: UploadService,
    private readonly archives: Archives,
    @Inject(importSection.token) private readonly config: ImportConfig,
  ) {}

  /** Of any of the files, in bytes. */
  get maxBytes(): number {
    return Math.max(this.uploads.maxBytes, this.config.maxArchiveBytes);
  }

  get maxItems(): number {
    return this.config.maxItems;
  }

  /**
   * What has come is kept whatever happens to the rest of the request.
   *
   * @returns the import's id
   * @throws what `readImportForm` throws, SharingNotAllowed, TooManyItems, ImportCancelled
   */
  async receive(parts: AsyncIterable<UploadPart>, receiving: Receiving): Promise<string> {
    const { principal, correlationId } = receiving;
    let id: string | undefined;
    let fields!: FormFields;
    let count = 0;
    const begin = async (given: FormFields) => {
      fields = given;
      id = (await this.service.begin(principal, fields, correlationId)).id;
    };
    try {
      await readImportForm(parts, begin, async (part) => {
        count += 1;
        if (count > this.config.maxItems) throw new TooManyItems(this.config.maxItems);
        await this.receiveFile(id!, fields, part, receiving);
      });
      return id!;
    } finally {
      if (id !== undefined) await this.close(principal.tenantId, id);
    }
  }

  private async receiveFile(
    id: string,
    fields: FormFields,
    part: FilePart,
    receiving: Receiving,
  ): Promise<void> {
    const { tenantId } = receiving.principal;
    const name = cleanFileName(part.filename);
    const isArchive = extensionOf(name) === 'zip' || ZIP_TYPES.has(part.mimetype);
    try {
      if (isArchive) await this.receiveArchive(id, name, part, receiving);
      else await this.receiveDocument(id, fields, part, receiving);
    } catch (error) {
      if (!(error instanceof DomainError) || ENDS_ALL.some((type) => error instanceof type)) throw error;
      receiving.signal.throwIfAborted();
      const refused = { code: error.code, message: error.message };
      await this.db.run(tenantId, (tx) => this.add(tx, id, { kind: 'file', name, refused }));
      importItems.inc({ kind: 'file', outcome: 'refused' });
    }
  }

  private async receiveDocument(
    id: string,
    fields: FormFields,
    part: FilePart,
    { principal, correlationId, signal }: Receiving,
  ): Promise<void> {
    const content = await this.uploads.receive(principal, part, signal);
    const { sizeBytes } = content;
    const form = { filename: part.filename, content, fields };
    try {
      await this.db.run(principal.tenantId, async (tx) => {
        const state = await this.imports.lockToAdd(tx, id);
        const { view, isRepeat } = await this.uploads.acceptIn(tx, principal, form, correlationId);
        const { id: documentId, filename } = view.document;
        const name = isRepeat ? cleanFileName(part.filename) : filename;
        await this.add(tx, id, { kind: 'file', name, sizeBytes, accepted: { documentId, isRepeat } });
        if (state === 'paused') await this.imports.holdJobs(tx, id);
      });
      importItems.inc({ kind: 'file', outcome: 'accepted' });
    } finally {
      await content.discard();
    }
  }

  private async receiveArchive(
    id: string,
    name: string,
    { file }: FilePart,
    { principal: { tenantId }, signal }: Receiving,
  ): Promise<void> {
    const staged = await this.archives.receive(tenantId, file, signal);
    const { sha256: archiveSha256, sizeBytes } = staged;
    try {
      await this.db.run(tenantId, async (tx) => {
        await this.imports.lockToAdd(tx, id);
        await this.documents.lockContent(tx, archiveSha256);
        await staged.keep();
        await this.add(tx, id, { kind: 'archive', name, archiveSha256, sizeBytes });
      });
    } finally {
      await staged.discard();
    }
  }

  private async add(tx: EntityManager, id: string, item: NewItem): Promise<void> {
    const state = await this.imports.lockToAdd(tx, id);
    if (state !== 'running' && state !== 'paused') throw new ImportCancelled();
    await this.imports.addItems(tx, id, [item]);
    await this.imports.setReceiving(tx, id, true);
  }

  private close(tenantId: string, id: string): Promise<void> {
    return this.db.run(tenantId, (tx) => this.imports.setReceiving(tx, id, false));
  }
}

/** What is about the request and not about one file. */
const ENDS_ALL = [UploadInterrupted, ImportCancelled];
const ZIP_TYPES = new Set(['application/zip', 'application/x-zip-compressed', 'application/x-zip']);
