import { Logger } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { LegalHoldInForce } from '#libs/audit';
import type { TenantDb } from '#libs/database';
import { counter } from '#libs/observability';
import {
  addCounts,
  claimDue,
  type ClaimedRun,
  type Counts,
  hold,
  putBack,
  type RunTable,
} from './run.store.js';

export interface StepDone {
  counts?: Counts;
  /** Whether there is more of the same. */
  more?: boolean;
}

/**
 * One kind of thing that goes. A step does a part of it in a transaction that also counts it, and is asked again while
 * there is more. What a crash has cut off is begun again from the first step, and finds only what is left.
 */
export interface Step<Run extends ClaimedRun> {
  readonly name: string;
  work(tx: EntityManager, run: Run): Promise<StepDone>;
}

/** What is run in steps, each in a transaction. */
export interface SteppedWork<Run extends ClaimedRun> {
  readonly table: RunTable;
  /** What is known of it, once it is claimed. */
  begin(run: ClaimedRun): Promise<Run>;
  /** Asked in the transaction of each part: a hold may come at any time. @throws LegalHoldInForce */
  assertAllowed(tx: EntityManager, run: Run): Promise<void>;
  readonly steps: readonly Step<Run>[];
  /** A transaction that sees the tenant and the row of the run. */
  transact<T>(run: ClaimedRun, work: (tx: EntityManager) => Promise<T>): Promise<T>;
}

const runs = counter({
  name: 'navigator_privacy_runs_total',
  help: 'Runs of erasures and of deletions of tenants by outcome: done, held (by a legal hold), failed (tried again)',
  labelNames: ['kind', 'outcome'],
});

/** Longer than any step takes. */
export const LEASE_MS = 120_000;
const RETRY_MS = 30_000;
/** A hold may be released. */
const HELD_MS = 3_600_000;

/** Takes erasures and deletions as far as they go, one step after the other. */
export class StepRunner {
  private readonly logger = new Logger(StepRunner.name);

  constructor(private readonly db: Pick<TenantDb, 'runAsWorker'>) {}

  /** Runs the next one that is due to its end. False when there is none. It never rejects for what becomes of the run. */
  async runNext<Run extends ClaimedRun>(work: SteppedWork<Run>, signal: AbortSignal): Promise<boolean> {
    const claimed = await this.db.runAsWorker((tx) => claimDue(tx, work.table, LEASE_MS));
    if (!claimed) return false;
    const kind = work.table;
    try {
      if (await this.run(work, await work.begin(claimed), signal)) runs.inc({ kind, outcome: 'done' });
    } catch (error) {
      const held = error instanceof LegalHoldInForce;
      runs.inc({ kind, outcome: held ? 'held' : 'failed' });
      if (!held)
        this.logger.warn({ kind, error: (error as Error).name }, 'an erasure failed and is tried again');
      await work.transact(claimed, (tx) => putBack(tx, kind, claimed, held ? HELD_MS : RETRY_MS));
    }
    return true;
  }

  /** False when the program stops or somebody else has it: its lease ends, and what is left is done then. */
  private async run<Run extends ClaimedRun>(
    work: SteppedWork<Run>,
    run: Run,
    signal: AbortSignal,
  ): Promise<boolean> {
    for (const step of work.steps)
      for (let more = true; more;) {
        if (signal.aborted) {
          await work.transact(run, (tx) => putBack(tx, work.table, run, 0));
          return false;
        }
        const done = await work.transact(run, (tx) => this.part(work, step, tx, run));
        if (!done) return false;
        more = done.more ?? false;
      }
    return true;
  }

  private async part<Run extends ClaimedRun>(
    work: SteppedWork<Run>,
    step: Step<Run>,
    tx: EntityManager,
    run: Run,
  ): Promise<StepDone | undefined> {
    if (!(await hold(tx, work.table, run))) return undefined;
    await work.assertAllowed(tx, run);
    const done = await step.work(tx, run);
    if (done.counts) await addCounts(tx, work.table, run, done.counts, LEASE_MS);
    return done;
  }
}
