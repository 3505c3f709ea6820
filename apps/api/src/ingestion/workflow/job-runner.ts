import { Inject, Injectable, Logger } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { DomainError } from '#libs/errors';
import { reportBug } from '#libs/observability';
import { DocumentStore } from '../documents/document.store.js';
import { type WorkerConfig, workerSection } from '../ingestion.config.js';
import { ContentMissing } from '../ingestion.errors.js';
import { type ClaimedJob, LeaseLost } from '../jobs/job.js';
import { JobStore } from '../jobs/job.store.js';
import { notifyDocumentChanged } from '../jobs/notifications.js';
import { type GateConfig, gateSection } from './gates/index.js';
import { countWork, stageAttempts, stageSeconds } from './ingestion.metrics.js';
import { INGESTION_STAGES, type StageName } from './ingestion-stages.js';
import { JobCheckpoints, measured } from './job-checkpoints.js';
import {
  AttemptsExhausted,
  DocumentRejected,
  GateClosed,
  ReviewNeeded,
  type StageOutcome,
  StageWorks,
  type Task,
} from './stage-work.js';
import { StageStore } from './stage.store.js';
import { runWorkflow, type Stage, StageFailed } from './workflow.js';

/** How a job left this worker: finished either way, put back for later, for others or for a person, or taken away. */
export type JobOutcome = 'done' | 'failed' | 'deferred' | 'released' | 'review' | 'lost';

const RETRY_FACTOR = 4;
const LONGEST_WAIT_MS = 1_000;

/** Takes one claimed job through the workflow and settles how it ended. */
@Injectable()
export class JobRunner {
  private readonly logger = new Logger(JobRunner.name);

  constructor(
    private readonly jobs: JobStore,
    private readonly stages: StageStore,
    private readonly documents: DocumentStore,
    private readonly stageWorks: StageWorks,
    @Inject(workerSection.token) private readonly config: WorkerConfig,
    @Inject(gateSection.token) private readonly gates: GateConfig,
  ) {}

  /**
   * `signal` aborts when the worker stops, or with `LeaseLost` when the job is no longer ours. Throws only what
   * keeps it from settling, such as a database out of reach; the lease then runs out and the job goes on elsewhere.
   */
  async run(job: ClaimedJob, signal: AbortSignal): Promise<JobOutcome> {
    if (job.lostLeases >= this.config.maxCrashes) return this.settle(job, (tx) => this.quarantine(tx, job));
    try {
      await this.runStages(job, signal);
      return 'done';
    } catch (error) {
      const cause = error instanceof StageFailed ? error.cause : error;
      if (cause instanceof ReviewNeeded) return 'review';
      if (cause instanceof LeaseLost || signal.reason instanceof LeaseLost) return 'lost';
      if (signal.aborted) return this.settle(job, (tx) => this.release(tx, job));
      if (!(error instanceof StageFailed)) throw error;
      return this.settle(job, (tx) => this.conclude(tx, job, error.stage as StageName, cause));
    }
  }

  private async runStages(job: ClaimedJob, signal: AbortSignal): Promise<void> {
    const { jobs, stages, documents } = this;
    const [document, { done, leftovers }] = await measured({ stage: 'all', operation: 'load' }, () =>
      jobs.read(job, (tx) => Promise.all([documents.find(tx, job.documentId), stages.findState(tx, job)])),
    );
    if (!document) throw new LeaseLost(job);
    const task: Task = { job, document, leftovers, alive: () => job.gotOn?.() };
    const checkpoints = new JobCheckpoints(task, done, jobs, stages, documents, this.gates, this.config);
    try {
      await runWorkflow(this.stagesOf(task), checkpoints, signal);
    } finally {
      checkpoints.close();
    }
  }

  private stagesOf(task: Task): Stage<StageName, StageOutcome>[] {
    return INGESTION_STAGES.map(({ name, after }) => ({
      name,
      after,
      run: (signal) => this.measured(name, task, signal),
    }));
  }

  private async measured(name: StageName, task: Task, signal: AbortSignal): Promise<StageOutcome> {
    stageAttempts.inc({ stage: name });
    const startedMs = performance.now();
    const took = (outcome: 'done' | 'failed' | 'aborted') => {
      const milliseconds = performance.now() - startedMs;
      stageSeconds.observe({ stage: name, outcome }, milliseconds / 1_000);
      return { document_id: task.document.id, stage: name, outcome, duration_ms: Math.round(milliseconds) };
    };
    try {
      const outcome = await this.stageWorks.works[name].run(task, signal);
      countWork(name, task.document, outcome.detail);
      this.logger.log({ ...took('done'), ...outcome.detail }, 'stage');
      return outcome;
    } catch (error) {
      const code = error instanceof DocumentRejected ? error.code : (error as Error).name;
      this.logger.warn({ ...took(signal.aborted ? 'aborted' : 'failed'), code }, 'stage');
      throw error;
    }
  }

  private async settle(
    job: ClaimedJob,
    how: (tx: EntityManager) => Promise<JobOutcome>,
  ): Promise<JobOutcome> {
    try {
      return await this.jobs.fenced(job, async (tx) => {
        await notifyDocumentChanged(tx, job.documentId);
        return how(tx);
      });
    } catch (error) {
      if (error instanceof LeaseLost) return 'lost';
      throw error;
    }
  }

  /** The worker stops: everything is as if the interrupted stages had not begun, and others may go on at once. */
  private async release(tx: EntityManager, job: ClaimedJob): Promise<JobOutcome> {
    await this.stages.interrupt(tx, job.documentId);
    await this.jobs.defer(tx, job, 0);
    return 'released';
  }

  /** A stage failed: for good, or until it is tried again. */
  private async conclude(
    tx: EntityManager,
    job: ClaimedJob,
    stage: StageName,
    cause: unknown,
  ): Promise<JobOutcome> {
    if (cause instanceof DocumentRejected) return this.reject(tx, job, [stage], cause);
    if (isOutage(cause)) return this.waitFor(tx, job, stage, cause);
    report(this.logger, cause);
    const attempts = await this.stages.attempts(tx, job.documentId, stage);
    const code = cause instanceof DomainError ? cause.code : 'internal-error';
    if (attempts >= this.config.maxAttempts) {
      const what = `Processing failed ${attempts} times in the stage "${stage}".`;
      return this.reject(tx, job, [stage], new AttemptsExhausted(what, { cause }), code);
    }
    await this.stages.interrupt(tx, job.documentId, { stage, code, isToBlame: true });
    await this.jobs.defer(tx, job, this.config.retryDelayMs * RETRY_FACTOR ** (attempts - 1));
    return 'deferred';
  }

  /** Something that the work needs is away, which is not the document's fault: it waits as long as that takes. */
  private async waitFor(
    tx: EntityManager,
    job: ClaimedJob,
    stage: StageName,
    outage: DomainError,
  ): Promise<JobOutcome> {
    const { retryDelayMs } = this.config;
    const { code } = outage;
    this.logger.warn({ document_id: job.documentId, code }, 'the job waits for what it needs');
    await this.stages.interrupt(tx, job.documentId, { stage, code, isToBlame: false });
    await this.jobs.defer(tx, job, Math.min(outage.retryAfterMs ?? retryDelayMs, LONGEST_WAIT_MS));
    return 'deferred';
  }

  /** The document may be what killed its workers; it kills no more of them. */
  private async quarantine(tx: EntityManager, job: ClaimedJob): Promise<JobOutcome> {
    const stages = await this.stages.listRunning(tx, job.documentId);
    const what = `Processing was cut off ${job.lostLeases} times in a row.`;
    return this.reject(tx, job, stages, new AttemptsExhausted(what));
  }

  private async reject(
    tx: EntityManager,
    job: ClaimedJob,
    stages: readonly StageName[],
    reason: DocumentRejected,
    stageCode = reason.code,
  ): Promise<JobOutcome> {
    const gate = reason instanceof GateClosed ? reason.gate : undefined;
    for (const stage of stages) await this.stages.fail(tx, job.documentId, stage, stageCode, gate);
    await this.stages.interrupt(tx, job.documentId);
    await this.documents.setFailed(tx, job.documentId, reason);
    await this.jobs.finish(tx, job, 'failed');
    return 'failed';
  }
}

const isOutage = (cause: unknown): cause is DomainError =>
  cause instanceof DomainError && cause.kind === 'unavailable' && !(cause instanceof ContentMissing);

/** What is neither about the document nor about a dependency is a bug of ours. */
function report(logger: Logger, cause: unknown): void {
  logger.error(cause instanceof Error ? cause : new Error(String(cause)));
  if (!(cause instanceof DomainError)) reportBug(cause);
}
