import { setTimeout as delay } from 'node:timers/promises';
import {
  type BeforeApplicationShutdown,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import type { TenantDb } from '#libs/database';
import { counter, gauge, histogram } from '#libs/observability';
import type { AuditKeys } from '../notes/index.js';
import type { Anchor } from './anchors.js';
import { checkpoint, findUnanchored, markAnchored } from './checkpoint.store.js';
import { SEAL_BATCH, sealBatch, type Sealed } from './seal.store.js';

const lag = gauge({
  name: 'navigator_audit_seal_lag_seconds',
  help: 'Age of the oldest audit event that has no place in its tree yet, or since when this process could not look; 0 when all have one',
});
const delays = histogram({
  name: 'navigator_audit_seal_delay_seconds',
  help: 'From when an audit event happened until it had its place in its tree',
});
const failures = counter({
  name: 'navigator_audit_anchor_failures_total',
  help: 'Checkpoints that could not be kept outside of the database, by target',
  labelNames: ['target'],
});

/** While there is work, and while there is none. */
const BUSY_MS = 250;
const IDLE_MS = 1_000;
/** Somebody waits for nothing of it, but evidence that comes late is worth less. */
const PROMPTLY = { priority: 'critical', timeoutMs: 20_000 } as const;

export interface SealerOptions {
  /** Whether it works by itself; a test or a program that seals by hand says no. */
  runs: boolean;
  checkpointMs: number;
}

/**
 * Gives events their places in the tenants' trees, signs checkpoints and has them kept elsewhere. It runs in every process
 * that may; for each transaction, the database lets one of them.
 */
@Injectable()
export class Sealer implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(Sealer.name);
  private readonly stopping = new AbortController();
  private running: Promise<void> = Promise.resolve();
  private isFailing = false;
  private unsealedSince = performance.now();

  /** @param db as the role that may write the trees and checkpoints */
  constructor(
    private readonly db: Pick<TenantDb, 'runAsAuditor'>,
    private readonly keys: AuditKeys,
    private readonly anchors: readonly Anchor[],
    private readonly options: SealerOptions,
  ) {}

  onApplicationBootstrap(): void {
    if (this.options.runs) this.running = this.loop();
  }

  /** What is under way is finished; what is left is the next sealer's. */
  async beforeApplicationShutdown(): Promise<void> {
    this.stopping.abort(new Error('The sealer is stopping'));
    await this.running;
  }

  /** One transaction's worth. */
  async seal(): Promise<Sealed> {
    const sealed = await this.db.runAsAuditor(sealBatch, PROMPTLY);
    this.unsealedSince = performance.now() - 1_000 * sealed.lagSeconds;
    lag.set(sealed.lagSeconds);
    for (const age of sealed.ages) delays.observe(Math.max(0, age));
    return sealed;
  }

  /** Signs the log when it is time to, and has the newest checkpoint kept wherever it is not yet. */
  async publish(): Promise<void> {
    const { signer } = this.keys;
    if (!signer) return;
    await this.db.runAsAuditor((tx) => checkpoint(tx, signer, this.options.checkpointMs), PROMPTLY);
    await Promise.all(this.anchors.map((anchor) => this.anchor(anchor)));
  }

  private async anchor(anchor: Anchor): Promise<void> {
    const { target } = anchor;
    const newest = await this.db.runAsAuditor((tx) => findUnanchored(tx, target), PROMPTLY);
    if (!newest) return;
    try {
      await anchor.keep(newest);
    } catch (error) {
      failures.inc({ target });
      this.logger.warn({ target, reason: (error as Error).name }, 'a checkpoint could not be anchored');
      return;
    }
    await this.db.runAsAuditor((tx) => markAnchored(tx, target, newest.no), PROMPTLY);
  }

  private async loop(): Promise<void> {
    const { signal } = this.stopping;
    let publishAt = -Infinity;
    while (!signal.aborted) {
      const pauseMs = await this.turn(performance.now() >= publishAt).catch((error: unknown) => {
        // Once for each outage.
        if (!this.isFailing)
          this.logger.warn({ reason: (error as Error).name }, 'the audit log cannot be sealed');
        this.isFailing = true;
        // Others may go on writing: their login is another one.
        lag.set((performance.now() - this.unsealedSince) / 1_000);
        return IDLE_MS;
      });
      if (performance.now() >= publishAt) publishAt = performance.now() + PUBLISH_LOOK_MS;
      await delay(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  }

  private async turn(publishes: boolean): Promise<number> {
    const { leads, ages } = await this.seal();
    if (leads && publishes) await this.publish();
    this.isFailing = false;
    if (ages.length === SEAL_BATCH) return 0;
    return ages.length > 0 ? BUSY_MS : IDLE_MS;
  }
}

/** Whether it is time is for the database to say; this is how often it is asked. */
const PUBLISH_LOOK_MS = 1_000;
