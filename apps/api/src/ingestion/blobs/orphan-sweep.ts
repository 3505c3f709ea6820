import {
  type BeforeApplicationShutdown,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { TenantDb } from '#libs/database';
import { Loops } from '#libs/loops';
import { DocumentStore } from '../documents/document.store.js';
import { BlobStore, type StoredBlob } from './blob.store.js';

const EVERY_MS = 3_600_000;
/** An upload that has written nothing for this long has died with its process. */
const STALE_MS = 3_600_000;
const BATCH = 200;

/**
 * A process that dies between a file and its row, or between a row and its file, leaves a file that no document
 * names. Nobody sees it; it only takes room, and is removed when the next worker starts, and every hour.
 */
@Injectable()
export class OrphanSweep implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(OrphanSweep.name);
  private readonly loops = new Loops(this.logger);

  constructor(
    private readonly db: TenantDb,
    private readonly documents: DocumentStore,
    private readonly blobs: BlobStore,
  ) {}

  onApplicationBootstrap(): void {
    this.loops.repeat(EVERY_MS, () => this.sweepAndTell(), 'the sweep of orphans failed');
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.loops.stop();
  }

  /** Returns how many files were removed. */
  async sweep(): Promise<number> {
    let removed = await this.blobs.removeStale(STALE_MS);
    for await (const batch of batchesByTenant(this.blobs.list())) {
      if (this.loops.signal.aborted) break;
      removed += await this.removeUnused(batch);
    }
    return removed;
  }

  private async removeUnused(batch: StoredBlob[]): Promise<number> {
    const { tenantId } = batch[0]!;
    const hashes = batch.map((blob) => blob.sha256);
    const unused = await this.db.read(tenantId, (tx) => this.documents.listUnusedContent(tx, hashes));
    let removed = 0;
    for (const sha256 of unused)
      removed += await this.db.run(tenantId, async (tx) => {
        // An upload moves its file and commits its row under this lock; whoever holds it sees both or neither.
        await this.documents.lockContent(tx, sha256);
        if (await this.documents.isContentUsed(tx, sha256)) return 0;
        await this.blobs.delete(tenantId, sha256);
        return 1;
      });
    return removed;
  }

  private async sweepAndTell(): Promise<void> {
    const removed = await this.sweep();
    if (removed > 0) this.logger.warn({ removed }, 'files without a document were removed');
  }
}

async function* batchesByTenant(blobs: AsyncIterable<StoredBlob>): AsyncIterable<StoredBlob[]> {
  let batch: StoredBlob[] = [];
  for await (const blob of blobs) {
    if (batch.length === BATCH || (batch[0] && batch[0].tenantId !== blob.tenantId)) {
      yield batch;
      batch = [];
    }
    batch.push(blob);
  }
  if (batch.length > 0) yield batch;
}
