import { Logger } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { DocumentStore } from '../documents/document.store.js';
import type { JobStore } from '../jobs/job.store.js';
import { notifyDocumentChanged } from '../jobs/notifications.js';
import { evaluateGate, type Gate, type GateConfig, type GateEvidence, reasonOfGate } from './gates/index.js';
import { checkpointSeconds, gateChecks } from './ingestion.metrics.js';
import { INGESTION_STAGES, type StageName } from './ingestion-stages.js';
import { GateClosed, ReviewNeeded, type StageOutcome, type Task } from './stage-work.js';
import type { StageStore } from './stage.store.js';
import type { Checkpoints } from './workflow.js';

const PUBLISHING = new Set(INGESTION_STAGES.filter((stage) => stage.publishes).map((stage) => stage.name));

/**
 * The checkpoints of one job in PostgreSQL, each behind the quality gate of its stage. Every step is fenced, so only
 * the holder of the job gets on.
 */
export class JobCheckpoints implements Checkpoints<StageName, StageOutcome> {
  private readonly logger = new Logger(JobCheckpoints.name);

  constructor(
    private readonly task: Task,
    private readonly done: ReadonlySet<StageName>,
    private readonly jobs: JobStore,
    private readonly stages: StageStore,
    private readonly documents: DocumentStore,
    private readonly gates: GateConfig,
  ) {}

  async completed(): Promise<ReadonlySet<StageName>> {
    return this.done;
  }

  async begin(name: StageName): Promise<void> {
    const { job } = this.task;
    await this.jobs.fenced(job, (tx) =>
      Promise.all([this.stages.begin(tx, job.documentId, name), notifyDocumentChanged(tx, job.documentId)]),
    );
    this.task.alive();
  }

  /**
   * The outcome, its gate and, when a person has to decide, the parking of the job are one transaction.
   *
   * @throws GateClosed when nothing is to become of it; nothing is written then
   * @throws ReviewNeeded when the job is parked
   */
  async complete(name: StageName, outcome: StageOutcome, next: readonly StageName[]): Promise<void> {
    const { job } = this.task;
    const judged = outcome.evidence && this.judge(name, outcome.evidence);
    const isParked = await measured({ stage: name, operation: 'write' }, () =>
      this.jobs.fenced(job, async (tx) => {
        const gate = judged && (await this.withDecision(tx, name, judged));
        const isHeld = gate?.outcome === 'needs_review' && !gate.decision;
        const checkpoint = { detail: outcome.detail, result: outcome.result, gate };
        if (isHeld && PUBLISHING.has(name)) await this.stages.hold(tx, job.documentId, name, checkpoint);
        else {
          // None needs what another answers, so they go out together.
          await Promise.all([
            this.jobs.noteProgress(tx, job),
            outcome.commit?.(tx),
            this.stages.complete(tx, job.documentId, name, checkpoint),
            !isHeld && next.length > 0 && this.stages.begin(tx, job.documentId, ...next),
            notifyDocumentChanged(tx, job.documentId),
          ]);
        }
        if (isHeld) await this.park(tx, gate);
        return isHeld;
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

  private async withDecision(tx: EntityManager, name: StageName, gate: Gate): Promise<Gate> {
    const isApproved =
      gate.outcome === 'needs_review' && (await this.stages.isApproved(tx, this.task.job.documentId, name));
    return isApproved ? { ...gate, decision: 'approve' } : gate;
  }

  /** Stages beside this one are as if they had not begun; they go on once a person has decided. */
  private async park(tx: EntityManager, gate: Gate): Promise<void> {
    const { job } = this.task;
    await notifyDocumentChanged(tx, job.documentId);
    await this.stages.interrupt(tx, job.documentId);
    await this.documents.setNeedsReview(tx, job.documentId, reasonOfGate(gate)!);
    await this.jobs.finish(tx, job, 'review');
  }
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
