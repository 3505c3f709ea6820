import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { Pressure } from '#libs/http';
import { Loops } from '#libs/loops';
import { newContext, runInContext } from '#libs/observability';
import { type WorkerConfig, workerSection } from '../ingestion.config.js';
import { jobOutcomes, jobWaitSeconds } from '../workflow/ingestion.metrics.js';
import { type JobOutcome, JobRunner } from '../workflow/job-runner.js';
import { type ClaimedJob, JobStuck, LeaseLost } from './job.js';
import { JobStore } from './job.store.js';
import { IngestionNotifications } from './notifications.js';
import { formatIdentity, isDead, ownIdentity } from './worker-identity.js';
import { WorkerLiveness } from './worker-liveness.js';

/** Three heartbeats fit into a lease, so that one may be lost. */
const HEARTBEATS_PER_LEASE = 3;
/** A stuck job is told to stop; what has not stopped after this does not keep its place from others. */
const GIVE_UP_MS = 5_000;

/** Takes jobs from the queue, a few at a time, and keeps them its own while it works on them. */
@Injectable()
export class IngestionWorker implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(IngestionWorker.name);
  private readonly loops = new Loops(this.logger);
  private readonly workerId = formatIdentity(ownIdentity());

  constructor(
    private readonly jobs: JobStore,
    private readonly runner: JobRunner,
    private readonly notifications: IngestionNotifications,
    private readonly pressure: Pressure,
    private readonly liveness: WorkerLiveness,
    @Inject(workerSection.token) private readonly config: WorkerConfig,
  ) {}

  onApplicationBootstrap(): void {
    this.liveness.observe();
    this.loops.take({
      hasRoom: (running) => this.hasRoom(running),
      claim: () => this.jobs.claim(this.workerId),
      work: (job) => this.start(job),
      queued: (signal) => this.notifications.jobQueued(this.config.pollMs, signal),
    });
    this.loops.repeat(this.config.pollMs, () => this.freeJobs(), 'the queue could not be watched');
  }

  /** Takes no more jobs, interrupts those under way and puts them back, so that others go on with them at once. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.loops.stop();
    this.liveness.stop();
  }

  /** A process that is too full finishes what it has begun, and leaves the others' jobs to them. */
  private hasRoom(running: number): boolean {
    this.liveness.looked();
    const isFull = this.pressure.sheds('sheddable-plus', 0);
    return !isFull && running < this.config.concurrency && !this.isUseless();
  }

  /** One document that makes every attempt stand still is failed before its attempts are what fills the process. */
  private isUseless(): boolean {
    return this.liveness.stuckJobs > this.config.maxCrashes;
  }

  private start(job: ClaimedJob): Promise<void> {
    jobWaitSeconds.observe(job.waitedMs / 1_000);
    const context = newContext({ requestId: randomUUID(), correlationId: job.correlationId ?? undefined });
    context.tenantId = job.tenantId;
    return runInContext(context, () => this.work(job));
  }

  private async work(job: ClaimedJob): Promise<void> {
    const ended = new AbortController();
    const lost = new AbortController();
    const stuck = Promise.withResolvers<'stuck'>();
    this.liveness.begin(job);
    job.gotOn = () => this.liveness.gotOn(job);
    const heartbeats = this.keepLease(job, lost, ended.signal, () => stuck.resolve('stuck'));
    const running = this.runner.run(job, AbortSignal.any([this.loops.signal, lost.signal]));
    try {
      const outcome: JobOutcome | 'stuck' = await Promise.race([running, stuck.promise]);
      jobOutcomes.inc({ outcome });
      this.logger.log({ document_id: job.documentId, outcome }, 'job');
      if (outcome === 'stuck') this.leaveBehind(job, running);
      else this.liveness.end(job);
    } catch (error) {
      this.liveness.end(job);
      jobOutcomes.inc({ outcome: 'abandoned' });
      this.logger.error({ document_id: job.documentId, err: error }, 'the job is left to its lease');
    } finally {
      ended.abort();
      await heartbeats;
    }
  }

  /** It occupies the process until it ends, if ever, but no longer a place among the jobs. */
  private leaveBehind(job: ClaimedJob, running: Promise<unknown>): void {
    this.liveness.stuck(job);
    this.logger.error({ document_id: job.documentId }, 'a job does not end; the worker goes on without it');
    const end = () => this.liveness.end(job);
    running.then(end, end);
  }

  /**
   * Renews the lease while the job gets on, and looks at once when it may have been taken away. `giveUp` is called when
   * it stood still and did not even end when it was told to.
   */
  private async keepLease(
    job: ClaimedJob,
    lost: AbortController,
    ended: AbortSignal,
    giveUp: () => void,
  ): Promise<void> {
    const { leaseMs, stuckAfterMs } = this.config;
    const pauseMs = Math.min(leaseMs, stuckAfterMs) / HEARTBEATS_PER_LEASE;
    for (;;) {
      await this.notifications.jobRevoked(job.documentId, pauseMs, ended);
      if (ended.aborted) return;
      if (this.liveness.silenceOf(job) >= stuckAfterMs) {
        lost.abort(new JobStuck(job));
        this.logger.error({ document_id: job.documentId }, 'a job stands still; its lease is not renewed');
        await delay(Math.min(GIVE_UP_MS, stuckAfterMs), undefined, { signal: ended }).catch(() => undefined);
        return giveUp();
      }
      try {
        if (!(await this.jobs.heartbeat(job))) lost.abort(new LeaseLost(job));
      } catch (error) {
        this.logger.warn({ document_id: job.documentId, error: (error as Error).name }, 'a heartbeat failed');
      }
    }
  }

  private async freeJobs(): Promise<void> {
    const dead = (await this.jobs.listHolders()).filter((workerId) => isDead(workerId));
    const count = await this.jobs.reclaim(dead);
    if (count > 0) this.logger.warn({ count }, 'jobs of dead workers were put back');
  }
}
