import { createHash, hash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { BlobStore } from '../../blobs/blob.store.js';
import { ContentMissing } from '../../ingestion.errors.js';
import { DocumentRejected, type StageOutcome, type StageWork, type Task } from '../stage-work.js';

/** So much may stay in memory for the stage that reads it. */
const SMALL_BYTES = 262_144;

/** Makes sure that the file which was accepted is the file that will be read. */
@Injectable()
export class ReceiveStage implements StageWork {
  constructor(private readonly blobs: BlobStore) {}

  async run(task: Task, signal: AbortSignal): Promise<StageOutcome> {
    const { document } = task;
    try {
      const digest =
        document.sizeBytes > SMALL_BYTES ? await this.digest(task, signal) : await this.keep(task);
      if (!digest.equals(document.sha256))
        throw new DocumentRejected('content-damaged', 'The stored file is damaged. Please upload it again.');
    } catch (error) {
      if (error instanceof ContentMissing)
        throw new DocumentRejected(error.code, error.message, { cause: error });
      throw error;
    }
    return { detail: { size_bytes: document.sizeBytes } };
  }

  private async keep(task: Task): Promise<Buffer> {
    const { tenantId, sha256 } = task.document;
    task.content = await this.blobs.readWhole(tenantId, sha256);
    return hash('sha256', task.content, 'buffer');
  }

  private async digest({ document: { tenantId, sha256 } }: Task, signal: AbortSignal): Promise<Buffer> {
    const digest = createHash('sha256');
    const { stream } = await this.blobs.read(tenantId, sha256);
    for await (const chunk of stream) {
      signal.throwIfAborted();
      digest.update(chunk as Buffer);
    }
    return digest.digest();
  }
}
