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
import { newContext, runInContext } from '#libs/observability';
import { type WorkerConfig, workerSection } from '../ingestion.config.js';
import { jobOutcomes, jobWaitSeconds } from '../workflow/ingestion.metrics.js';
import { JobRunner } from '../workflow/job-runner.js';
import { type ClaimedJob, LeaseLost } from './job.js';
import { JobStore } from './job.store.js';
import { IngestionNotifications } from './notifications.js';
import { formatIdentity, isDead, ownIdentity } from './worker-identity.js';

/** Three heartbeats fit into a lease, so that one may be lost. */
const HEARTBEATS_PER_LEASE = 3;
/** After this the jobs that will not end are left to their leases. */
const STOP_LIMIT_MS = 15_000;

/** Takes jobs from the queue, a few at a time, and keeps them its own while it works on them. */
@Injectable()
export class IngestionWorker implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(IngestionWorker.name);
  private readonly stopping = new AbortController();
  private readonly workerId = formatIdentity(ownIdentity());
  private readonly running = new Set<Promise<void>>();
  private loops: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly jobs: JobStore,
    private readonly runner: JobRunner,
    private readonly notifications: IngestionNotifications,
    private readonly pressure: Pressure,
    @Inject(workerSection.token) private readonly config: WorkerConfig,
  ) {}

  onApplicationBootstrap(): void {
    this.loops = Promise.all([this.takeJobs(), this.watchQueue()]);
  }

  /** Takes no more jobs, interrupts those under way and puts them back, so that others go on with them at once. */
  async beforeApplicationShutdown(): Promise<void> {
    this.stopping.abort(new Error('The worker is stopping'));
    const limit = new AbortController();
    await Promise.race([
      Promise.all([this.loops, ...this.running]),
      delay(STOP_LIMIT_MS, undefined, { signal: limit.signal }).catch(() => undefined),
    ]);
    limit.abort();
  }

  private async takeJobs(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      // Listening begins before looking, so that a job queued in between is not overslept.
      const idle = new AbortController();
      const either = AbortSignal.any([idle.signal, this.stopping.signal]);
      const queued = this.notifications.jobQueued(this.config.pollMs, either);
      // A process that is too full finishes what it has begun, and leaves the others' jobs to them.
      const isFull = this.pressure.sheds('sheddable-plus', 0);
      const isBusy = isFull || this.running.size >= this.config.concurrency;
      const job = isBusy ? undefined : await this.claim();
      if (job) this.start(job);
      else await Promise.race([queued, ...this.running]);
      idle.abort();
    }
  }

  private async claim(): Promise<ClaimedJob | undefined> {
    try {
      return await this.jobs.claim(this.workerId);
    } catch (error) {
      this.logger.warn({ error: (error as Error).name }, 'no job could be claimed');
      return undefined;
    }
  }

  private start(job: ClaimedJob): void {
    jobWaitSeconds.observe(job.waitedMs / 1_000);
    const context = newContext({ requestId: randomUUID(), correlationId: job.correlationId ?? undefined });
    context.tenantId = job.tenantId;
    const work = runInContext(context, () => this.work(job)).finally(() => this.running.delete(work));
    this.running.add(work);
  }

  private async work(job: ClaimedJob): Promise<void> {
    const ended = new AbortController();
    const lost = new AbortController();
    const heartbeats = this.keepLease(job, lost, ended.signal);
    try {
      const outcome = await this.runner.run(job, AbortSignal.any([this.stopping.signal, lost.signal]));
      jobOutcomes.inc({ outcome });
      this.logger.log({ document_id: job.documentId, outcome }, 'job');
    } catch (error) {
      jobOutcomes.inc({ outcome: 'abandoned' });
      this.logger.error({ document_id: job.documentId, err: error }, 'the job is left to its lease');
    } finally {
      ended.abort();
      await heartbeats;
    }
  }

  private async keepLease(job: ClaimedJob, lost: AbortController, ended: AbortSignal): Promise<void> {
    const pauseMs = this.config.leaseMs / HEARTBEATS_PER_LEASE;
    for (;;) {
      await delay(pauseMs, undefined, { signal: ended }).catch(() => undefined);
      if (ended.aborted) return;
      try {
        if (!(await this.jobs.heartbeat(job))) lost.abort(new LeaseLost(job));
      } catch (error) {
        this.logger.warn({ document_id: job.documentId, error: (error as Error).name }, 'a heartbeat failed');
      }
    }
  }

  /** Frees the jobs of dead workers. */
  private async watchQueue(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      try {
        const dead = (await this.jobs.listHolders()).filter((workerId) => isDead(workerId));
        const count = await this.jobs.reclaim(dead);
        if (count > 0) this.logger.warn({ count }, 'jobs of dead workers were put back');
      } catch (error) {
        this.logger.warn({ error: (error as Error).name }, 'the queue could not be watched');
      }
      await delay(this.config.pollMs, undefined, { signal }).catch(() => undefined);
    }
  }
}
