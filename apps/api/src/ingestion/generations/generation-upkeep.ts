import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { TenantDb } from '#libs/database';
import { Loops } from '#libs/loops';
import type { GenerationKey } from '../../rag/index.js';
import { type WorkerConfig, workerSection } from '../ingestion.config.js';
import { GenerationStore } from './generation.store.js';
import { ReindexQueue } from './reindex-queue.js';
import { ReindexWork } from './reindex-work.js';

/** Documents of a tenant that are on their way by orders: enough for every worker, few enough to cancel at once. */
const UNDER_WAY = 32;
/** Before other tenants have their turn. */
const ROLLED_BACK_AT_ONCE = 100;
const SWEEP_EVERY_MS = 300_000;
const SWEPT_AT_ONCE = 100;

/**
 * Carries out orders to make documents anew, and removes generations that nobody can go back to. All of it is rows and
 * short transactions: several workers share it, and one that dies leaves nothing half done.
 */
@Injectable()
export class GenerationUpkeep implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly loops = new Loops(new Logger(GenerationUpkeep.name));

  constructor(
    private readonly db: TenantDb,
    private readonly queue: ReindexQueue,
    private readonly work: ReindexWork,
    private readonly generations: GenerationStore,
    @Inject(workerSection.token) private readonly config: Pick<WorkerConfig, 'pollMs'>,
  ) {}

  onApplicationBootstrap(): void {
    this.loops.repeat(this.config.pollMs, () => this.advance(), 'orders to make documents anew failed');
    this.loops.repeat(SWEEP_EVERY_MS, () => this.sweep(), 'the sweep of generations failed');
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.loops.stop();
  }

  /** Takes every order as far as it goes at the moment. True when there is more to do at once. */
  async advance(): Promise<boolean> {
    let hasMore = false;
    const tenants = await this.db.runAsWorker((tx) => this.queue.listTenants(tx));
    for (const tenantId of tenants) {
      if (this.loops.signal.aborted) return false;
      hasMore = (await this.advanceTenant(tenantId)) || hasMore;
    }
    return hasMore;
  }

  /** Returns how many generations were removed. */
  async sweep(): Promise<number> {
    await this.db.runAsWorker((tx) => this.queue.forgetOld(tx));
    let removed = 0;
    for (;;) {
      const expired = await this.db.runAsWorker((tx) => this.generations.listExpired(tx, SWEPT_AT_ONCE));
      for (const key of expired) if (await this.remove(key)) removed += 1;
      if (expired.length < SWEPT_AT_ONCE || this.loops.signal.aborted) return removed;
    }
  }

  private async remove(key: GenerationKey): Promise<boolean> {
    const { tenantId } = key;
    if (!(await this.db.run(tenantId, (tx) => this.generations.condemn(tx, key)))) return false;
    const removeSome = () => this.db.run(tenantId, (tx) => this.generations.removeSome(tx, key));
    await this.upTo(Infinity, removeSome);
    if (this.loops.signal.aborted) return false;
    await this.db.run(tenantId, (tx) => this.generations.remove(tx, key));
    return true;
  }

  private async advanceTenant(tenantId: string): Promise<boolean> {
    await this.work.settleEnded(tenantId);
    for (const item of await this.db.run(tenantId, (tx) => this.queue.listToCancel(tx)))
      await this.work.cancel(tenantId, item);
    const underWay = await this.db.run(tenantId, (tx) => this.queue.countUnderWay(tx));
    await this.upTo(UNDER_WAY - underWay, () => this.work.beginNext(tenantId));
    const hasMore = await this.upTo(ROLLED_BACK_AT_ONCE, () => this.work.rollBackNext(tenantId));
    await this.db.run(tenantId, (tx) => this.queue.finish(tx));
    return hasMore;
  }

  /** False when there were fewer. */
  private async upTo(most: number, work: () => Promise<boolean>): Promise<boolean> {
    for (let done = 0; done < most; done += 1) if (this.loops.signal.aborted || !(await work())) return false;
    return true;
  }
}
