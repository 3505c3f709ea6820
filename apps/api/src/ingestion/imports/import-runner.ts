import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { Pressure } from '#libs/http';
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
/** After this the items that will not end are left to their leases. */
const STOP_LIMIT_MS = 15_000;
const FORGET_EVERY_MS = 3_600_000;

/** Takes what imports wait for, a few items at a time, and notes when an import has come to its end. */
@Injectable()
export class ImportRunner implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(ImportRunner.name);
  private readonly stopping = new AbortController();
  private readonly workerId = formatIdentity(ownIdentity());
  private readonly running = new Set<Promise<void>>();
  private loops: Promise<unknown> = Promise.resolve();
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
    this.loops = Promise.all([this.takeItems(), this.watch()]);
  }

  /** Takes nothing more, and puts back what is under way, so that others go on with it at once. */
  async beforeApplicationShutdown(): Promise<void> {
    this.stopping.abort(new Error('The worker is stopping'));
    const limit = new AbortController();
    await Promise.race([
      Promise.all([this.loops, ...this.running]),
      delay(STOP_LIMIT_MS, undefined, { signal: limit.signal }).catch(() => undefined),
    ]);
    limit.abort();
  }

  private async takeItems(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      // Listening begins before looking, so that nothing queued in between is overslept.
      const idle = new AbortController();
      const either = AbortSignal.any([idle.signal, this.stopping.signal]);
      const queued = this.notifications.importQueued(this.worker.pollMs, either);
      const isFull = this.pressure.sheds('sheddable-plus', 0);
      const isBusy = isFull || this.running.size >= this.config.concurrency;
      const item = isBusy ? undefined : await this.claim();
      if (item) this.start(item);
      else await Promise.race([queued, ...this.running]);
      idle.abort();
    }
  }

  private async claim(): Promise<ClaimedItem | undefined> {
    try {
      return await this.queue.claim(this.workerId);
    } catch (error) {
      this.logger.warn({ error: (error as Error).name }, 'nothing to import could be claimed');
      return undefined;
    }
  }

  private start(item: ClaimedItem): void {
    const context = newContext({ requestId: randomUUID(), correlationId: item.correlationId ?? undefined });
    context.tenantId = item.tenantId;
    const work = runInContext(context, () => this.work(item)).finally(() => this.running.delete(work));
    this.running.add(work);
  }

  private async work(item: ClaimedItem): Promise<void> {
    const ended = new AbortController();
    const lost = new AbortController();
    const renewals = this.keepLease(item, lost, ended.signal);
    const { batchId: import_id, ordinal, kind } = item;
    try {
      const outcome = await this.itemWork.run(item, AbortSignal.any([this.stopping.signal, lost.signal]));
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
    const { signal } = this.stopping;
    while (!signal.aborted) {
      try {
        const dead = (await this.queue.listHolders()).filter((workerId) => isDead(workerId));
        const count = await this.queue.reclaim(dead);
        if (count > 0) this.logger.warn({ count }, 'items of dead workers were put back');
        for (const { id, seconds } of await this.queue.finish()) {
          importSeconds.observe(seconds);
          this.logger.log({ import_id: id, seconds }, 'import finished');
        }
        await this.forget();
      } catch (error) {
        this.logger.warn({ error: (error as Error).name }, 'the imports could not be watched');
      }
      await delay(this.worker.pollMs, undefined, { signal }).catch(() => undefined);
    }
  }

  private async forget(): Promise<void> {
    if (performance.now() < this.forgetAtMs) return;
    this.forgetAtMs = performance.now() + FORGET_EVERY_MS;
    await this.queue.forget(this.config.keepDays);
  }
}
