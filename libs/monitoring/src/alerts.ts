import { setTimeout as delay } from 'node:timers/promises';
import { type BeforeApplicationShutdown, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { type TenantDb, uuidv7 } from '#libs/database';
import { type Clock, systemClock } from '#libs/resilience';
import type { Alert, AlertRule, AlertTransition } from './alert.js';
import { AlertEngine, type AlertEngineOptions } from './alert-engine.js';
import {
  deleteResolvedBefore,
  type Delivery,
  deliveryOf,
  listOpenOf,
  resolveOrphans,
  saveDelivery,
  saveOpen,
  saveResolved,
} from './alert.store.js';
import { type Deliveries, retryMsAfter } from './webhook/deliveries.js';

const EVALUATE_EVERY_MS = 1_000;
/** So often a process says that it still sees what it saw … */
const KEEP_EVERY_MS = 30_000;
/** … and an alert of which nobody said so for this long has lost its process. */
const ORPHANED_AFTER_MS = 300_000;
const KEPT_DAYS = 90;
const LAST_CHANCE_MS = 2_000;
/** Transitions that wait for the database; the flapping rule makes this hours. */
const MOST_WAITING = 1_000;

/** A transition that the database does not know of yet. */
interface Waiting {
  alert: Alert;
  transition: AlertTransition;
  delivery: Delivery;
  /** When it was told past the outbox, because there was no outbox. */
  sentAt?: Date;
  attempts: number;
  nextAttemptAt: number;
}

/**
 * The alerts of the process: evaluated every second, kept in the database, told to a webhook by its outbox. Without the
 * database they go on in memory, are told from there, and are written when it is back.
 */
export class Alerts implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(Alerts.name);
  private readonly engine: AlertEngine;
  private readonly clock: Clock;
  private waiting: Waiting[] = [];
  private stopTicking?: () => void;
  private ticking = Promise.resolve();
  private following?: Promise<void>;
  private keepAt = 0;
  /** Since when keeping has worked every time. */
  private steadySince?: number;

  /** @param deliveries undefined when there is nobody to tell */
  constructor(
    private readonly db: Pick<TenantDb, 'runAsOperator'>,
    rules: readonly AlertRule[],
    private readonly options: AlertEngineOptions,
    private readonly deliveries?: Deliveries,
  ) {
    this.clock = options.clock ?? systemClock;
    this.engine = new AlertEngine(rules, options, (alert, transition) => this.note(alert, transition));
  }

  async onApplicationBootstrap(): Promise<void> {
    try {
      this.engine.restore(await this.inTransaction((tx) => listOpenOf(tx, this.options.replica)));
    } catch (error) {
      this.logger.warn({ reason: (error as Error).name }, 'open alerts could not be read');
    }
    this.schedule();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopTicking?.();
    this.stopTicking = undefined;
    await this.ticking;
    // A webhook that says nothing must not hold up the end: what was not told is told by the next start.
    await Promise.race([this.idle(), delay(LAST_CHANCE_MS, undefined, { ref: false })]);
    if (!this.following) await this.write().catch(() => undefined);
  }

  /** What is wrong as this process sees it, also while the database is away. */
  active(): Alert[] {
    return this.engine.active();
  }

  /** One look. What follows from it does not hold up the next one: the database may hang, or the webhook. */
  async tick(): Promise<void> {
    await this.engine.evaluate();
    this.following ??= this.follow().finally(() => (this.following = undefined));
  }

  /** Resolves when what followed from the last look is done. */
  async idle(): Promise<void> {
    await this.following;
  }

  private async follow(): Promise<void> {
    try {
      await this.write();
      await this.keep();
      await this.deliveries?.sendDue();
    } catch (error) {
      this.steadySince = undefined;
      this.logger.debug({ reason: (error as Error).name }, 'alerts cannot be written yet');
      await this.tellDirectly();
    }
  }

  private schedule(): void {
    this.stopTicking = this.clock.after(EVALUATE_EVERY_MS, () => {
      this.ticking = this.tick().finally(() => this.stopTicking && this.schedule());
    });
  }

  private note(alert: Alert, transition: AlertTransition): void {
    const { rule, subject, severity } = alert;
    this.logger.warn({ rule, subject, severity }, `an alert was ${transition}`);
    if (this.waiting.length >= MOST_WAITING) this.waiting.shift();
    const delivery = deliveryOf(alert, transition);
    this.waiting.push({ alert, transition, delivery, attempts: 0, nextAttemptAt: 0 });
  }

  private async write(): Promise<void> {
    for (let first = this.waiting[0]; first; first = this.waiting[0]) {
      await this.inTransaction((tx) => this.writeOne(tx, first!));
      this.waiting = this.waiting.filter((other) => other !== first);
    }
  }

  private async writeOne(tx: EntityManager, { alert, transition, delivery, sentAt }: Waiting): Promise<void> {
    if (transition === 'opened') return this.saveOpened(tx, alert, delivery, sentAt);
    if (await saveResolved(tx, alert))
      await this.saveDelivery(tx, alert, deliveryOf(alert, transition), sentAt);
  }

  /** Before what only waits for its turn: when there is too much to do, somebody should hear of it. */
  private inTransaction<T>(work: (tx: EntityManager) => Promise<T>): Promise<T> {
    return this.db.runAsOperator(work, { priority: 'critical' });
  }

  /** Another process may have opened the same alert first; then its id is the alert's, and it has told of it. */
  private async saveOpened(
    tx: EntityManager,
    alert: Alert,
    delivery: Delivery,
    sentAt?: Date,
  ): Promise<void> {
    const { id, isNew } = await saveOpen(tx, alert);
    alert.id = id;
    if (isNew) await this.saveDelivery(tx, alert, delivery, sentAt);
  }

  private async saveDelivery(
    tx: EntityManager,
    alert: Alert,
    delivery: Delivery,
    sentAt?: Date,
  ): Promise<void> {
    if (this.deliveries) await saveDelivery(tx, alert.id, delivery, sentAt);
  }

  private async keep(): Promise<void> {
    const now = this.clock.now();
    if (now < this.keepAt) return;
    await this.inTransaction(async (tx) => {
      for (const alert of this.active()) await this.keepOne(tx, alert);
      if (this.isSteady(now)) await this.sweep(tx);
    });
    this.steadySince ??= now;
    this.keepAt = now + KEEP_EVERY_MS;
  }

  /** One that somebody else has resolved while it goes on is opened anew. */
  private async keepOne(tx: EntityManager, alert: Alert): Promise<void> {
    const { id, isNew } = await saveOpen(tx, { ...alert, id: uuidv7() });
    alert.id = id;
    if (isNew) await this.saveDelivery(tx, alert, deliveryOf(alert, 'opened'));
  }

  /** After an outage everybody's alerts look abandoned until their processes have had time to say otherwise. */
  private isSteady(now: number): boolean {
    return this.steadySince !== undefined && now - this.steadySince >= ORPHANED_AFTER_MS;
  }

  private async sweep(tx: EntityManager): Promise<void> {
    const orphans = await resolveOrphans(tx, ORPHANED_AFTER_MS, 'the process that saw it is gone');
    for (const alert of orphans) await this.saveDelivery(tx, alert, deliveryOf(alert, 'resolved'));
    await deleteResolvedBefore(tx, KEPT_DAYS);
  }

  /** Past the outbox, under the id that the message will have there. */
  private async tellDirectly(): Promise<void> {
    if (!this.deliveries) return;
    const now = this.clock.now();
    for (const waiting of this.waiting.filter(
      ({ sentAt, nextAttemptAt }) => !sentAt && nextAttemptAt <= now,
    )) {
      const { failed } = await this.deliveries.attempt(waiting.delivery);
      waiting.attempts += 1;
      if (failed) waiting.nextAttemptAt = now + retryMsAfter(waiting.attempts);
      else waiting.sentAt = new Date();
    }
  }
}
