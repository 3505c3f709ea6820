import type { EntityManager } from 'typeorm';
import type { ClaimedRun } from '../../apps/api/src/privacy/erasure/run.store.js';
import { StepRunner, type SteppedWork } from '../../apps/api/src/privacy/erasure/step-runner.js';
import type { TestApp } from './test-app.js';
import { TenantDb } from '#libs/database';

/** A worker that is killed in one of its transactions: before its commit, or after it and before it knows. */
class DyingWork<Run extends ClaimedRun> implements SteppedWork<Run> {
  isDead = false;
  private transactions = 0;

  constructor(
    private readonly inner: SteppedWork<Run>,
    private readonly diesIn: number,
  ) {}

  get table() {
    return this.inner.table;
  }
  get steps() {
    return this.inner.steps;
  }
  begin(run: ClaimedRun) {
    return this.inner.begin(run);
  }
  assertAllowed(tx: EntityManager, run: Run) {
    return this.inner.assertAllowed(tx, run);
  }
  async transact<T>(run: ClaimedRun, work: (tx: EntityManager) => Promise<T>): Promise<T> {
    const killed = () => {
      this.isDead = true;
      throw new Error('killed');
    };
    if (this.isDead) killed();
    const dies = (this.transactions += 1) === this.diesIn;
    const isBeforeCommit = this.diesIn % 2 === 1;
    const done = await this.inner.transact(run, async (tx) => {
      const result = await work(tx);
      if (dies && isBeforeCommit) killed();
      return result;
    });
    if (dies) killed();
    return done;
  }
}

/**
 * Has a run done by workers of which each is killed so many transactions later than the one before (an odd number, so that
 * half of them die after a commit). Returns how many were.
 */
export async function runThroughKills<Run extends ClaimedRun>(
  app: TestApp,
  inner: SteppedWork<Run>,
  later = 1,
): Promise<number> {
  const runner = new StepRunner(app.program.app.get(TenantDb));
  for (let killed = 0; ; killed += 1) {
    const work = new DyingWork(inner, killed * later + 1);
    const wasThere = await runner.runNext(work, new AbortController().signal).catch(() => true);
    // The one before may have died with nothing left to do.
    if (!wasThere || !work.isDead) return killed;
    await app.db.owner.query(
      `update ${inner.table} set lease_until = now() - interval '1 second', run_at = now() where lease_until is not null`,
    );
  }
}
