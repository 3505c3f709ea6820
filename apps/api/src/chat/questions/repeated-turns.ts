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
  /** Until the next transaction begins beside those that are under way. */
  timer?: NodeJS.Timeout;
}

/** More would keep the first of them waiting for the last. */
const LARGEST_BATCH = 32;
/** For one transaction to end. While the database is slow, others begin beside it. */
const LONGEST_WAIT_MS = 100;
const AT_ONCE = 4;

/**
 * Saves turns with answers that were given before, each with its record. Those of a tenant that come while others are
 * being saved go together in the next transaction. Nobody waits for company.
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
   * @throws the signal's reason, when it may be saved all the same; what the transaction throws, to all who share it and
   * all who wait for it
   */
  async save(
    tenantId: string,
    repeated: RepeatedTurn,
    signal: AbortSignal,
    record: () => void,
  ): Promise<boolean> {
    signal.throwIfAborted();
    const queue = this.queues.get(tenantId) ?? { waiting: [], underWay: 0 };
    this.queues.set(tenantId, queue);
    const outcome = Promise.withResolvers<boolean>();
    const inItsRequest = AsyncLocalStorage.snapshot();
    const recorded = () =>
      inItsRequest(() => {
        record();
        return this.db.recordsOf(tenantId);
      });
    const entry = { ...repeated, recorded, outcome };
    queue.waiting.push(entry);
    // A turn later, so that those who come in the same turn share a transaction.
    setImmediate(() => this.begin(tenantId, queue));
    const leave = () => {
      queue.waiting = queue.waiting.filter((other) => other !== entry);
      outcome.reject(signal.reason);
    };
    signal.addEventListener('abort', leave);
    try {
      return await outcome.promise;
    } finally {
      signal.removeEventListener('abort', leave);
    }
  }

  private begin(tenantId: string, queue: Queue): void {
    if (queue.waiting.length === 0) return;
    if (queue.underWay === 0) void this.saveWaiting(tenantId, queue);
    else
      queue.timer ??= setTimeout(() => {
        queue.timer = undefined;
        if (queue.waiting.length > 0 && queue.underWay < AT_ONCE) void this.saveWaiting(tenantId, queue);
      }, LONGEST_WAIT_MS);
  }

  private async saveWaiting(tenantId: string, queue: Queue): Promise<void> {
    const batch = queue.waiting.splice(0, LARGEST_BATCH);
    queue.underWay += 1;
    try {
      const saved = await this.saveTogether(tenantId, batch);
      for (const { turn, outcome } of batch) outcome.resolve(saved.has(turn.id));
    } catch (error) {
      // Who waits for the same is not let wait for the same failure.
      for (const { outcome } of [...batch, ...queue.waiting.splice(0)]) outcome.reject(error);
    }
    queue.underWay -= 1;
    clearTimeout(queue.timer);
    queue.timer = undefined;
    this.begin(tenantId, queue);
    if (queue.underWay === 0) this.queues.delete(tenantId);
  }

  private async saveTogether(tenantId: string, batch: readonly Waiting[]): Promise<Set<string>> {
    let saved = new Set<string>();
    await this.db.changeTogether(tenantId, async (tx) => {
      saved = await this.turns.saveRepeated(tx, tenantId, batch);
      return batch.filter(({ turn }) => saved.has(turn.id)).flatMap(({ recorded }) => recorded());
    });
    return saved;
  }
}
