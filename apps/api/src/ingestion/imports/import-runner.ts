import { randomUUID } from 'node:crypto';
import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { Pressure } from '#libs/http';
import { Loops } from '#libs/loops';
import { newContext, runInContext } from '#libs/observability';
import { type WorkerConfig, workerSection } from '../ingestion.config.js';
import { IngestionNotifications } from '../jobs/notifications.js';
import { formatIdentity, isDead, ownIdentity } from '../jobs/worker-identity.js';
import type { ClaimedItem } from './import.js';
import { ItemLost } from './import.errors.js';
import { ImportQueue } from './import-queue.js';
import { importItems, importSeconds } from './imports.metrics.js';
import { type ImportConfig, importSection } from './imports.config.js';
import { ItemWork } from './item-work.js';

/** Three renewals fit into a lease, so that one may be lost. */
const RENEWALS_PER_LEASE = 3;
const FORGET_EVERY_MS = 3_600_000;

/** Takes what imports wait for, a few items at a time, and notes when an import has come to its end. */
@Injectable()
export class ImportRunner implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(ImportRunner.name);
  private readonly loops = new Loops(this.logger);
  private readonly workerId = formatIdentity(ownIdentity());
  private forgetAtMs = 0;

  constructor(
    private readonly queue: ImportQueue,
    private readonly itemWork: ItemWork,
    private readonly notifications: IngestionNotifications,
    private readonly pressure: Pressure,
    @Inject(workerSection.token) private readonly worker: Pick<WorkerConfig, 'leaseMs' | 'pollMs'>,
    @Inject(importSection.token) private readonly config: ImportConfig,
  ) {}

  onApplicationBootstrap(): void {
    const { pollMs } = this.worker;
    this.loops.take({
      hasRoom: (running) => running < this.config.concurrency && !this.pressure.sheds('sheddable-plus', 0),
      claim: () => this.queue.claim(this.workerId),
      work: (item) => this.start(item),
      queued: (signal) => this.notifications.importQueued(pollMs, signal),
    });
    this.loops.repeat(pollMs, () => this.watch(), 'the imports could not be watched');
  }

  /** Takes nothing more, and puts back what is under way, so that others go on with it at once. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.loops.stop();
  }

  private start(item: ClaimedItem): Promise<void> {
    const context = newContext({ requestId: randomUUID(), correlationId: item.correlationId ?? undefined });
    context.tenantId = item.tenantId;
    return runInContext(context, () => this.work(item));
  }

  private async work(item: ClaimedItem): Promise<void> {
    const ended = new AbortController();
    const lost = new AbortController();
    const renewals = this.keepLease(item, lost, ended.signal);
    const { batchId: import_id, ordinal, kind } = item;
    try {
      const outcome = await this.itemWork.run(item, AbortSignal.any([this.loops.signal, lost.signal]));
      importItems.inc({ kind, outcome });
      this.logger.log({ import_id, ordinal, outcome }, 'import');
    } catch (error) {
      importItems.inc({ kind, outcome: 'abandoned' });
      this.logger.error({ import_id, ordinal, err: error }, 'the item is left to its lease');
    } finally {
      ended.abort();
      await renewals;
    }
  }

  /** Looks again at once when the import changes, because it may have been cancelled. */
  private async keepLease(item: ClaimedItem, lost: AbortController, ended: AbortSignal): Promise<void> {
    const pauseMs = this.worker.leaseMs / RENEWALS_PER_LEASE;
    for (;;) {
      await this.notifications.jobRevoked(item.batchId, pauseMs, ended);
      if (ended.aborted) return;
      try {
        if (!(await this.queue.renew(item))) return lost.abort(new ItemLost());
      } catch (error) {
        this.logger.warn({ error: (error as Error).name }, 'the lease of an item could not be renewed');
      }
    }
  }

  /** Puts back what dead workers held, and notes which imports have ended. */
  private async watch(): Promise<void> {
    const dead = (await this.queue.listHolders()).filter((workerId) => isDead(workerId));
    const count = await this.queue.reclaim(dead);
    if (count > 0) this.logger.warn({ count }, 'items of dead workers were put back');
    for (const { id, seconds } of await this.queue.finish()) {
      importSeconds.observe(seconds);
      this.logger.log({ import_id: id, seconds }, 'import finished');
    }
    await this.forget();
  }

  private async forget(): Promise<void> {
    if (performance.now() < this.forgetAtMs) return;
    this.forgetAtMs = performance.now() + FORGET_EVERY_MS;
    await this.queue.forget(this.config.keepDays);
  }
}
