import { Inject, Injectable, Logger } from '@nestjs/common';
import { TenantDb } from '#libs/database';
import { BlobStore, type StagedBlob } from '../blobs/blob.store.js';
import { DocumentStore } from '../documents/document.store.js';
import { DocumentTooLarge } from '../ingestion.errors.js';
import { isZip } from '../parsing/zip-archive.js';
import { Scanner } from '../scan/index.js';
import { type ArchiveEntry, listArchive, unpack } from './archive.js';
import { ArchiveTooLarge, ArchiveUnreadable } from './import.errors.js';
import { type ImportConfig, importSection } from './imports.config.js';

/** ZIP files from their arrival until nothing in them waits any more. Meanwhile they stand among the documents' files. */
@Injectable()
export class Archives {
  private readonly logger = new Logger(Archives.name);

  constructor(
    private readonly db: TenantDb,
    private readonly blobs: BlobStore,
    private readonly documents: DocumentStore,
    private readonly scanner: Scanner,
    @Inject(importSection.token) private readonly config: ImportConfig,
  ) {}

  /** @throws ArchiveTooLarge, ArchiveUnreadable, and what scanning throws; nothing is left behind then */
  async receive(
    tenantId: string,
    content: AsyncIterable<Uint8Array>,
    signal: AbortSignal,
  ): Promise<StagedBlob> {
    const { maxArchiveBytes: limitBytes } = this.config;
    const staged = await this.blobs
      .receive(content, tenantId, { limitBytes, headBytes: 4, inspect: assertZip, signal })
      .catch((error) => {
        throw error instanceof DocumentTooLarge ? new ArchiveTooLarge(limitBytes) : error;
      });
    try {
      await this.scanner.scan(() => staged.read(), signal);
      return staged;
    } catch (error) {
      await staged.discard();
      throw error;
    }
  }

  /** @throws ContentMissing, ArchiveUnreadable, ArchiveNotSafe, TooManyItems */
  async list(tenantId: string, sha256: Buffer): Promise<ArchiveEntry[]> {
    return listArchive(await this.blobs.localPath(tenantId, sha256), this.config);
  }

  /** @throws ContentMissing, ArchiveUnreadable, EntryProtected; the last two while it is read */
  async open(tenantId: string, sha256: Buffer, index: number): Promise<AsyncIterable<Uint8Array>> {
    return unpack(await this.blobs.localPath(tenantId, sha256), index);
  }

  /** Removes the archive when nothing needs it any more. Should that fail, the sweep of orphans takes it later. */
  async release(tenantId: string, sha256: Buffer): Promise<void> {
    try {
      await this.db.run(tenantId, async (tx) => {
        await this.documents.lockContent(tx, sha256);
        if (!(await this.documents.isContentUsed(tx, sha256))) await this.blobs.delete(tenantId, sha256);
      });
    } catch (error) {
      this.logger.warn({ error: (error as Error).name }, 'an archive is left to the sweep');
    }
  }
}

function assertZip(head: Buffer): void {
  if (!isZip(head) && !head.equals(EMPTY_ZIP)) throw new ArchiveUnreadable();
}

const EMPTY_ZIP = Buffer.from('PK\u0005\u0006');
