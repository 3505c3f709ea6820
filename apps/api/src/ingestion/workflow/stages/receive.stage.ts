import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { BlobStore } from '../../blobs/blob.store.js';
import { ContentMissing } from '../../ingestion.errors.js';
import { DocumentRejected, type StageOutcome, type StageWork, type Task } from '../stage-work.js';

/** Makes sure that the file which was accepted is the file that will be read. */
@Injectable()
export class ReceiveStage implements StageWork {
  constructor(private readonly blobs: BlobStore) {}

  async run({ document }: Task, signal: AbortSignal): Promise<StageOutcome> {
    const hash = createHash('sha256');
    try {
      const { stream } = await this.blobs.read(document.tenantId, document.sha256);
      for await (const chunk of stream) {
        signal.throwIfAborted();
        hash.update(chunk as Buffer);
      }
    } catch (error) {
      if (error instanceof ContentMissing)
        throw new DocumentRejected(error.code, error.message, { cause: error });
      throw error;
    }
    if (!hash.digest().equals(document.sha256))
      throw new DocumentRejected('content-damaged', 'The stored file is damaged. Please upload it again.');
    return { detail: { size_bytes: document.sizeBytes } };
  }
}
