import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { BlobStore } from '../blobs/blob.store.js';
import { DocumentPasswords } from '../passwords/document-passwords.js';
import type { Task } from '../workflow/stage-work.js';
import type { SourceFile } from './extractor.js';

/** The files of documents, for those who read them. */
@Injectable()
export class SourceFiles {
  constructor(
    private readonly blobs: BlobStore,
    private readonly passwords: DocumentPasswords,
  ) {}

  /**
   * @param tx where its password may be; left out when it has none
   * @throws ContentMissing
   */
  async find(
    { document, content }: Pick<Task, 'document' | 'content'>,
    tx?: EntityManager,
  ): Promise<SourceFile> {
    const { tenantId, sha256, filename, mediaType, sizeBytes } = document;
    const [path, password] = await Promise.all([
      this.blobs.localPath(tenantId, sha256),
      tx && this.passwords.find(tx, document.id),
    ]);
    return { path, content, filename, mediaType, sizeBytes, ...(password !== undefined && { password }) };
  }
}
