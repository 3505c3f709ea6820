import { Inject, Injectable, Logger } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { DomainError } from '#libs/errors';
import { reportBug } from '#libs/observability';
import { type WorkerConfig, workerSection } from '../ingestion.config.js';
import { ContentMissing } from '../ingestion.errors.js';
import { priorityOfRank } from '../jobs/job.js';
import { cleanFileName } from '../uploads/clean-name.js';
import { Intake, type ReceivedFile } from '../uploads/intake.js';
import { UploadService } from '../uploads/upload.service.js';
import { Archives } from './archives.js';
import type { ClaimedItem, NewItem } from './import.js';
import { ArchiveEmpty, ItemLost, TooManyItems, UrlUnreachable } from './import.errors.js';
import { ImportFetcher } from './import-fetcher.js';
import { ImportQueue } from './import-queue.js';
import { ImportStore } from './import.store.js';
import { type ImportConfig, importSection } from './imports.config.js';

/** How an item left this worker: settled, put back for later or for others, or taken away. */
export type ItemOutcome = 'accepted' | 'unpacked' | 'refused' | 'deferred' | 'released' | 'lost';

const RETRY_FACTOR = 4;
const LONGEST_WAIT_MS = 15_000;

/** Brings in one claimed item and settles what became of it, in one transaction with the document that it becomes. */
@Injectable()
export class ItemWork {
  private readonly logger = new Logger(ItemWork.name);

  constructor(
    private readonly queue: ImportQueue,
    private readonly imports: ImportStore,
    private readonly archives: Archives,
    private readonly fetcher: ImportFetcher,
    private readonly intake: Intake,
    private readonly uploads: UploadService,
    @Inject(workerSection.token) private readonly worker: Pick<WorkerConfig, 'maxAttempts' | 'retryDelayMs'>,
    @Inject(importSection.token) private readonly config: ImportConfig,
  ) {}

  /**
   * `signal` aborts when the worker stops, or with `ItemLost`. Throws only what keeps it from settling, such as a
   * database out of reach; the lease then runs out and others go on.
   */
  async run(item: ClaimedItem, signal: AbortSignal): Promise<ItemOutcome> {
    try {
      const outcome = await this.bring(item, signal);
      await this.releaseArchive(item);
      return outcome;
    } catch (error) {
      if (error instanceof ItemLost || signal.reason instanceof ItemLost) return 'lost';
      return this.settle(item, async (tx) => {
        if (signal.aborted) return this.putBack(tx, item, { delayMs: 0, isAttempt: false }, 'released');
        return this.conclude(tx, item, error);
      });
    }
  }

  private async bring(item: ClaimedItem, signal: AbortSignal): Promise<ItemOutcome> {
    if (item.attempts >= this.worker.maxAttempts) throw new GivenUp(item.attempts);
    if (item.kind === 'archive') return this.expand(item);
    const { file, filename } =
      item.kind === 'url' ? await this.fetch(item, signal) : await this.unpack(item, signal);
    try {
      return await this.accept(item, file, cleanFileName(filename));
    } finally {
      await file.discard();
    }
  }

  private fetch({ tenantId, url, name }: ClaimedItem, signal: AbortSignal) {
    return this.fetcher.fetch({ tenantId, url: url!, fallbackName: name }, signal);
  }

  private async unpack({ tenantId, archiveSha256, entryIndex, name }: ClaimedItem, signal: AbortSignal) {
    const content = await this.archives.open(tenantId, archiveSha256!, entryIndex!);
    return { file: await this.intake.receive(tenantId, { content, filename: name }, signal), filename: name };
  }

  /** The archive's place is taken by what is in it. */
  private async expand(item: ClaimedItem): Promise<ItemOutcome> {
    const entries = await this.archives.list(item.tenantId, item.archiveSha256!);
    if (entries.length === 0) throw new ArchiveEmpty();
    const items = entries.map(({ index, name, sizeBytes }): NewItem => {
      const archiveSha256 = item.archiveSha256!;
      return { kind: 'entry', name: cleanFileName(name), entryIndex: index, archiveSha256, sizeBytes };
    });
    await this.queue.settle(
      item,
      async (tx) => {
        await this.queue.remove(tx, item);
        const { maxItems } = this.config;
        if ((await this.imports.countItems(tx, item.batchId)) + items.length > maxItems)
          throw new TooManyItems(maxItems);
        await this.imports.addItems(tx, item.batchId, items);
      },
      { addsItems: true },
    );
    return 'unpacked';
  }

  private async accept(item: ClaimedItem, content: ReceivedFile, filename: string): Promise<ItemOutcome> {
    const { tenantId, ownerId: userId, tags } = item;
    const fields = {
      visibility: item.visibility ?? undefined,
      tags,
      collection: item.collection ?? undefined,
      priority: priorityOfRank(item.priorityRank),
    };
    await this.queue.settle(item, async (tx, state) => {
      const form = { filename, content, fields };
      const correlationId = item.correlationId ?? undefined;
      const { view, isRepeat } = await this.uploads.acceptIn(tx, { tenantId, userId }, form, correlationId);
      await this.queue.accept(tx, item, {
        documentId: view.document.id,
        name: filename,
        sizeBytes: content.sizeBytes,
        isRepeat,
      });
      if (state === 'paused') await this.imports.holdJobs(tx, item.batchId);
    });
    return 'accepted';
  }

  private async conclude(tx: EntityManager, item: ClaimedItem, error: unknown): Promise<ItemOutcome> {
    const isAttempt = error instanceof UrlUnreachable || !(error instanceof DomainError);
    if (!isAttempt && !isOutage(error)) return this.refuse(tx, item, error);
    if (!(error instanceof DomainError)) this.report(error);
    if (isAttempt && item.attempts + 1 >= this.worker.maxAttempts)
      return this.refuse(tx, item, error instanceof DomainError ? error : new GivenUp(item.attempts + 1));
    const { retryDelayMs } = this.worker;
    const delayMs = isAttempt
      ? retryDelayMs * RETRY_FACTOR ** item.attempts
      : Math.min((error as DomainError).retryAfterMs ?? retryDelayMs, LONGEST_WAIT_MS);
    return this.putBack(tx, item, { delayMs, isAttempt }, 'deferred');
  }

  private async refuse(tx: EntityManager, item: ClaimedItem, error: DomainError): Promise<ItemOutcome> {
    await this.queue.refuse(tx, item, { code: error.code, message: error.message });
    return 'refused';
  }

  private async putBack(
    tx: EntityManager,
    item: ClaimedItem,
    how: { delayMs: number; isAttempt: boolean },
    outcome: 'deferred' | 'released',
  ): Promise<ItemOutcome> {
    await this.queue.defer(tx, item, how);
    return outcome;
  }

  private async settle(
    item: ClaimedItem,
    how: (tx: EntityManager) => Promise<ItemOutcome>,
  ): Promise<ItemOutcome> {
    try {
      const outcome = await this.queue.settle(item, how);
      if (outcome === 'refused') await this.releaseArchive(item);
      return outcome;
    } catch (error) {
      if (error instanceof ItemLost) return 'lost';
      throw error;
    }
  }

  private async releaseArchive({ tenantId, archiveSha256 }: ClaimedItem): Promise<void> {
    if (archiveSha256) await this.archives.release(tenantId, archiveSha256);
  }

  private report(error: unknown): void {
    this.logger.error(error instanceof Error ? error : new Error(String(error)));
    reportBug(error);
  }
}

/** Something that the work needs is away, which is not the file's fault. */
function isOutage(error: DomainError): boolean {
  return ['unavailable', 'timeout'].includes(error.kind) && !(error instanceof ContentMissing);
}

/** It failed, or was cut off, so often that it may be what kills its workers. */
class GivenUp extends DomainError {
  readonly code = 'attempts-exhausted';
  readonly kind = 'unprocessable' as const;
  constructor(attempts: number) {
    super(`Bringing in the file failed ${attempts} times`, { extra: { attempts } });
  }
}
