import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { BlobStore } from '../blobs/blob.store.js';
import type { Document } from '../documents/document.js';
import { DocumentPasswords } from '../passwords/document-passwords.js';
import type { SourceFile } from './extractor.js';

/** The files of documents, for those who read them. */
@Injectable()
export class SourceFiles {
  constructor(
    private readonly blobs: BlobStore,
    private readonly passwords: DocumentPasswords,
  ) {}

  /** @throws ContentMissing */
  async find(tx: EntityManager, document: Document): Promise<SourceFile> {
    const { tenantId, sha256, filename, mediaType, sizeBytes } = document;
    const [path, password] = await Promise.all([
      this.blobs.localPath(tenantId, sha256),
      this.passwords.find(tx, document.id),
    ]);
    return { path, filename, mediaType, sizeBytes, ...(password !== undefined && { password }) };
  }
}
