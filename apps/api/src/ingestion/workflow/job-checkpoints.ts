import { Logger } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { DocumentChange, DocumentStore } from '../documents/document.store.js';
import type { WorkerConfig } from '../ingestion.config.js';
import type { JobStore } from '../jobs/job.store.js';
import { notifyDocumentChanged } from '../jobs/notifications.js';
import { standsBeside } from '../generations/beside.js';
import { evaluateGate, type Gate, type GateConfig, type GateEvidence, reasonOfGate } from './gates/index.js';
import { checkpointSeconds, gateChecks } from './ingestion.metrics.js';
import { INGESTION_STAGES, type StageName } from './ingestion-stages.js';
import { GateClosed, ReviewNeeded, type StageOutcome, type Task } from './stage-work.js';
import type { StageStep, StageStore } from './stage.store.js';
import type { Checkpoints } from './workflow.js';

const namesOf = (stages: typeof INGESTION_STAGES) => new Set(stages.map((stage) => stage.name));
const PUBLISHING = namesOf(INGESTION_STAGES.filter((stage) => stage.publishes));
const LOOKED_UP = namesOf(INGESTION_STAGES.filter((stage) => stage.isLookedUp));
/** With it the job is done. */
const LAST = INGESTION_STAGES.at(-1)!.name;

/**
 * The checkpoints of one job in PostgreSQL, each behind the quality gate of its stage. Every step is fenced, so only
 * the holder of the job gets on.
 *
 * A transaction costs more than the work of most stages of a small document. So a checkpoint that nobody looks up waits
 * for the next write of the job, at most `delayMs`; a crash meanwhile costs the work of that time. A job that has lost
 * its worker before writes each at once, so that the stage which takes its processes down with it is known.
 */
export class JobCheckpoints implements Checkpoints<StageName, StageOutcome> {
  private readonly logger = new Logger(JobCheckpoints.name);
  private owed: Owed[] = [];
  private timer: NodeJS.Timeout | undefined;
  private late: Promise<void> = Promise.resolve();
  private readonly delayMs: number;

  constructor(
    private readonly task: Task,
    private readonly done: ReadonlySet<StageName>,
    private readonly jobs: JobStore,
    private readonly stages: StageStore,
    private readonly documents: DocumentStore,
    private readonly gates: GateConfig,
    { checkpointDelayMs }: Pick<WorkerConfig, 'checkpointDelayMs'>,
  ) {
    const { job, document } = task;
    this.delayMs = job.lostLeases > 0 ? 0 : checkpointDelayMs;
    if (document.status !== 'processing') this.owed.push({ document: { status: 'processing' } });
    job.writeOwed = (tx) => this.writeOwed(tx);
  }

  async completed(): Promise<ReadonlySet<StageName>> {
    return this.done;
  }

  async begin(name: StageName): Promise<void> {
    await this.owe(name, [begun(name)]);
  }

  /**
   * The outcome, its gate and, when a person has to decide, the parking of the job are one transaction.
   *
   * @throws GateClosed when nothing is to become of it; nothing is written then
   * @throws ReviewNeeded when the job is parked
   */
  async complete(name: StageName, outcome: StageOutcome, next: readonly StageName[]): Promise<void> {
    const gate = outcome.evidence && this.judge(name, outcome.evidence);
    if (gate?.outcome === 'needs_review') await this.review(name, { outcome, gate }, next);
    else await this.owe(name, [ended(name, { outcome, gate }), ...next.map(begun)]);
  }

  /** Nothing waits any more. What is still owed is written with what becomes of the job. */
  close(): void {
    clearTimeout(this.timer);
  }

  private async owe(stage: StageName, owed: Owed[]): Promise<void> {
    this.owed.push(...owed);
    this.task.alive();
    const isDone = owed.some(({ done }) => done);
    const isWanted = stage === LAST || (LOOKED_UP.has(stage) && !this.task.justCut);
    if (this.delayMs > 0 && !(isDone && isWanted)) {
      this.timer ??= setTimeout(() => (this.late = this.payLate()), this.delayMs).unref();
      return;
    }
    clearTimeout(this.timer);
    this.timer = undefined;
    // It may have taken this along; and when that was the end of the job, nothing can be written any more.
    await this.late;
    if (!owed.some((one) => this.owed.includes(one))) return;
    try {
      await measured({ stage, operation: 'write' }, () => this.pay());
    } catch (error) {
      // As if the stage had not come so far. What was owed before goes with what becomes of the job.
      this.owed = this.owed.filter((one) => !owed.includes(one));
      throw error;
    }
  }

  private pay(): Promise<void> {
    const { job } = this.task;
    return this.jobs.fenced(job, (tx) => notifyDocumentChanged(tx, job.documentId));
  }

  private async payLate(): Promise<void> {
    this.timer = undefined;
    if (this.owed.length === 0) return;
    try {
      await measured({ stage: 'all', operation: 'write' }, () => this.pay());
    } catch (error) {
      // The next write of the job tries again, or finds that it is no longer ours.
      this.logger.warn({ document_id: this.task.job.documentId, error: (error as Error).name }, 'checkpoint');
    }
  }

  /** Inside `fenced`. */
  private async writeOwed(tx: EntityManager): Promise<() => void> {
    const owed = [...this.owed];
    await this.write(tx, owed);
    return () => (this.owed = this.owed.filter((one) => !owed.includes(one)));
  }

  private async write(tx: EntityManager, owed: readonly Owed[]): Promise<void> {
    const { job } = this.task;
    const steps = stepsOf(owed);
    // Sent together; a commit may need what the one before it, or a checkpoint, has written.
    const advanced = steps.length > 0 && this.stages.advance(tx, job.documentId, steps);
    const progressed = steps.some(({ done }) => done) && this.jobs.noteProgress(tx, job);
    const isEnd = owed.some(({ stage, done }) => stage === LAST && done);
    const document = Object.assign({}, ...owed.map((one) => one.document)) as DocumentChange;
    const changed = Object.keys(document).length > 0 && this.documents.change(tx, job.documentId, document);
    const outcomes = owed.flatMap(({ done }) => done?.outcome ?? []);
    const kept = isEnd ? [] : outcomes.map(async ({ keep }) => keep?.(tx));
    await Promise.all([advanced, progressed, changed, ...kept, this.commit(tx, outcomes)]);
  }

  /** Beside a generation that is found, each builds on what the one before has written; else they only come after it. */
  private async commit(tx: EntityManager, outcomes: readonly StageOutcome[]): Promise<void> {
    if (standsBeside(this.task)) for (const { commit } of outcomes) await commit?.(tx);
    else await Promise.all(outcomes.map(async ({ commit }) => commit?.(tx)));
  }

  /** A person decides, or has decided, about the outcome. */
  private async review(
    name: StageName,
    { outcome, gate }: { outcome: StageOutcome; gate: Gate },
    next: readonly StageName[],
  ): Promise<void> {
    const { job } = this.task;
    const isParked = await measured({ stage: name, operation: 'write' }, () =>
      this.jobs.fenced(job, async (tx) => {
        await notifyDocumentChanged(tx, job.documentId);
        const isApproved = await this.stages.isApproved(tx, job.documentId, name);
        if (isApproved) {
          const approved = { outcome, gate: { ...gate, decision: 'approve' as const } };
          await this.write(tx, [ended(name, approved), ...next.map(begun)]);
          return false;
        }
        const { detail, result } = outcome;
        if (PUBLISHING.has(name)) await this.stages.hold(tx, job.documentId, name, { detail, result, gate });
        else await this.write(tx, [ended(name, { outcome, gate })]);
        await this.park(tx, gate);
        return true;
      }),
    );
    if (isParked) throw new ReviewNeeded();
  }

  private judge(stage: StageName, evidence: GateEvidence): Gate {
    const gate = evaluateGate(evidence, this.gates);
    for (const { code, outcome } of gate.checks) gateChecks.inc({ stage, check: code, outcome });
    if (gate.outcome !== 'pass') {
      const checks = gate.checks.filter((check) => check.outcome !== 'pass');
      this.logger.warn(
        { document_id: this.task.job.documentId, stage, outcome: gate.outcome, checks },
        'gate',
      );
    }
    if (gate.outcome === 'failed') throw new GateClosed(reasonOfGate(gate)!, gate);
    return gate;
  }

  /** Stages beside this one are as if they had not begun; they go on once a person has decided. */
  private async park(tx: EntityManager, gate: Gate): Promise<void> {
    const { job } = this.task;
    await this.stages.interrupt(tx, job.documentId);
    await this.documents.setNeedsReview(tx, job.documentId, reasonOfGate(gate)!);
    await this.jobs.finish(tx, job, 'review');
  }
}

/** What is not written yet: that a stage began or ended, and what it leaves. */
interface Owed {
  stage?: StageName;
  /** On the scale of `performance.now()`. */
  atMs?: number;
  done?: { outcome: StageOutcome; gate?: Gate };
  document?: DocumentChange;
}

const begun = (stage: StageName): Owed => ({ stage, atMs: performance.now() });

function ended(stage: StageName, done: NonNullable<Owed['done']>): Owed {
  return {
    stage,
    atMs: performance.now(),
    done,
    document: done.outcome.document,
  };
}

/** One for each stage, whether it began, ended, or both. */
function stepsOf(owed: readonly Owed[]): StageStep[] {
  const steps = new Map<StageName, StageStep>();
  for (const { stage: name, atMs, done } of owed) {
    if (!name) continue;
    const agoMs = performance.now() - atMs!;
    const step = steps.get(name) ?? { name };
    if (done) {
      const { detail, result } = done.outcome;
      steps.set(name, { ...step, done: { agoMs, detail, result, gate: done.gate } });
    } else steps.set(name, { ...step, begunAgoMs: agoMs });
  }
  return [...steps.values()];
}

export async function measured<T>(
  labels: { stage: StageName | 'all'; operation: 'load' | 'write' },
  work: () => Promise<T>,
): Promise<T> {
  const end = checkpointSeconds.startTimer(labels);
  try {
    return await work();
  } finally {
    end();
  }
}
