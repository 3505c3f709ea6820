import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { HealthProbe } from '#libs/health';
import { JobStore } from './job.store.js';
import { observeQueue } from './queue.metrics.js';

/** With workers at work, a job waits for as long as the documents before it take; longer means that none is. */
const LONG_WAIT_SECONDS = 300;

/** How the job queue stands, in `/health` and `/metrics`. Questions are answered also while nobody works on it. */
@Injectable()
export class QueueProbe implements HealthProbe, OnModuleInit {
  readonly name = 'job-queue';
  readonly neededForReadiness = false;

  constructor(private readonly jobs: JobStore) {}

  onModuleInit(): void {
    observeQueue(() => this.jobs.queueState());
  }

  async check() {
    const { waiting, oldestSeconds } = await this.jobs.queueState();
    return {
      waiting,
      oldest_seconds: Math.round(oldestSeconds),
      degraded: oldestSeconds > LONG_WAIT_SECONDS,
    };
  }
}
