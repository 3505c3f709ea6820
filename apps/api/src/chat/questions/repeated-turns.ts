import { AsyncLocalStorage } from 'node:async_hooks';
import { Injectable } from '@nestjs/common';
import { type LastStatement, TenantDb } from '#libs/database';
import { type RepeatedTurn, TurnStore } from './turn.store.js';

interface Waiting extends RepeatedTurn {
  /** Completes the record of the request that asked, and gives it. */
  recorded(): LastStatement[];
  outcome: PromiseWithResolvers<boolean>;
}

/** Of one tenant. */
interface Queue {
  waiting: Waiting[];
  underWay: number;
}

/** More would keep the first of them waiting for the last. */
const LARGEST_BATCH = 32;
/** While one transaction waits for the disk, the next is being written. */
const AT_ONCE = 1;

/**
 * Saves turns with answers that were given before, each with its record. Those of a tenant that come while others are
 * being saved go together in one transaction. Nobody waits for company.
 */
@Injectable()
export class RepeatedTurns {
  private readonly queues = new Map<string, Queue>();

  constructor(
    private readonly db: TenantDb,
    private readonly turns: TurnStore,
  ) {}

  /**
   * @param record completes the record of the request under way; called before it is written
   * @returns whether it is saved, and so may be shown; otherwise nothing was written
   * @throws what the transaction throws, to all who share it
   */
  save(tenantId: string, repeated: RepeatedTurn, record: () => void): Promise<boolean> {
    const queue = this.queues.get(tenantId) ?? { waiting: [], underWay: 0 };
    this.queues.set(tenantId, queue);
    const outcome = Promise.withResolvers<boolean>();
    const inItsRequest = AsyncLocalStorage.snapshot();
    const recorded = () =>
      inItsRequest(() => {
        record();
        return this.db.recordsOf(tenantId);
      });
    queue.waiting.push({ ...repeated, recorded, outcome });
    // A turn later, so that those who come in the same turn share a transaction.
    setImmediate(() => void this.saveWaiting(tenantId, queue));
    return outcome.promise;
  }

  private async saveWaiting(tenantId: string, queue: Queue): Promise<void> {
    if (queue.underWay >= AT_ONCE) return;
    queue.underWay += 1;
    while (queue.waiting.length > 0)
      await this.saveTogether(tenantId, queue.waiting.splice(0, LARGEST_BATCH));
    queue.underWay -= 1;
    if (queue.underWay === 0) this.queues.delete(tenantId);
  }

  private async saveTogether(tenantId: string, batch: readonly Waiting[]): Promise<void> {
    let saved = new Set<string>();
    try {
      await this.db.changeTogether(tenantId, async (tx) => {
        saved = await this.turns.saveRepeated(tx, tenantId, batch);
        return batch.filter(({ turn }) => saved.has(turn.id)).flatMap(({ recorded }) => recorded());
      });
      for (const { turn, outcome } of batch) outcome.resolve(saved.has(turn.id));
    } catch (error) {
      for (const { outcome } of batch) outcome.reject(error);
    }
  }
}
