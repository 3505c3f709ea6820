import type { Readable } from 'node:stream';
import { DependencyTimeout, DependencyUnavailable, TransientFailure } from '#libs/errors';
import type { Policy } from '#libs/resilience';
import { StorageUnavailable } from '../ingestion.errors.js';
import { BlobStore, type ReceiveOptions, type StagedBlob, type StoredBlob } from './blob.store.js';

/**
 * A blob store under its policy. How long content takes to arrive is up to its sender, so that is not timed; what is
 * done before and after it is.
 */
export class GuardedBlobStore extends BlobStore {
  constructor(
    private readonly store: BlobStore,
    private readonly policy: Pick<Policy, 'execute'>,
  ) {
    super();
  }

  prepare(): Promise<void> {
    return this.guarded('prepare', () => this.store.prepare());
  }

  async receive(
    source: AsyncIterable<Uint8Array>,
    tenantId: string,
    options: ReceiveOptions,
  ): Promise<StagedBlob> {
    await this.prepare();
    const staged = await this.store.receive(source, tenantId, options);
    return {
      sha256: staged.sha256,
      sizeBytes: staged.sizeBytes,
      read: () => staged.read(),
      keep: () => this.guarded('keep', () => staged.keep()),
      discard: () => staged.discard(),
    };
  }

  read(
    tenantId: string,
    sha256: Buffer,
    part?: { start: number; end: number },
  ): Promise<{ stream: Readable; sizeBytes: number }> {
    return this.guarded('read', () => this.store.read(tenantId, sha256, part));
  }

  readWhole(tenantId: string, sha256: Buffer): Promise<Buffer> {
    return this.guarded('read', () => this.store.readWhole(tenantId, sha256));
  }

  localPath(tenantId: string, sha256: Buffer): Promise<string> {
    return this.guarded('read', () => this.store.localPath(tenantId, sha256));
  }

  delete(tenantId: string, sha256: Buffer): Promise<void> {
    return this.guarded('delete', () => this.store.delete(tenantId, sha256));
  }

  deleteTenant(tenantId: string): Promise<void> {
    return this.guarded('delete', () => this.store.deleteTenant(tenantId));
  }

  list(): AsyncIterable<StoredBlob> {
    return this.store.list();
  }

  removeStale(olderThanMs: number): Promise<number> {
    return this.store.removeStale(olderThanMs);
  }

  /** Trouble with the disk counts for the circuit; content that is not there does not. */
  private async guarded<T>(operation: string, work: () => Promise<T>): Promise<T> {
    try {
      return await this.policy.execute(() => work().catch(throwTransient), { operation });
    } catch (error) {
      if (error instanceof DependencyUnavailable || error instanceof DependencyTimeout)
        throw new StorageUnavailable({ cause: error });
      throw error;
    }
  }
}

function throwTransient(error: unknown): never {
  throw error instanceof StorageUnavailable
    ? new TransientFailure('the disk fails', { cause: error })
    : error;
}
