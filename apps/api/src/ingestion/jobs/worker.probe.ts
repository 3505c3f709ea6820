import type { HealthProbe } from '#libs/health';
import type { WorkerConfig } from '../ingestion.config.js';
import { WorkerLiveness } from './worker-liveness.js';

/** Whether the worker of this process gets on. One that takes no more jobs is mended by a restart, and by nothing else. */
export class WorkerProbe implements HealthProbe {
  readonly name = 'ingestion-worker';
  readonly neededForReadiness = false;

  constructor(
    private readonly liveness: WorkerLiveness,
    private readonly config: Pick<WorkerConfig, 'stuckAfterMs' | 'maxCrashes'>,
    readonly neededForLiveness: boolean,
  ) {}

  check() {
    const { stuckJobs, silenceMs } = this.liveness;
    if (stuckJobs > this.config.maxCrashes) return Promise.reject(new WorkerStuck());
    return Promise.resolve({
      stuck_jobs: stuckJobs,
      last_progress_seconds: Math.round(silenceMs / 1_000),
      degraded: stuckJobs > 0 || silenceMs > this.config.stuckAfterMs,
    });
  }
}

class WorkerStuck extends Error {
  override readonly name = 'WorkerStuck';
}
