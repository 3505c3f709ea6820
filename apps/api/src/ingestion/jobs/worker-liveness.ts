import { gauge } from '#libs/observability';
import type { ClaimedJob } from './job.js';

let silenceSeconds: () => number = () => 0;

/** Read at each scrape: what stands still cannot tell so itself. */
export const workerLastProgressSeconds = gauge({
  name: 'navigator_worker_last_progress_seconds',
  help: 'For how long the worker of this process has given no sign of life: the longest of its jobs, stuck ones included, and of its look at the queue; 0 without a worker',
  collect() {
    this.set(silenceSeconds());
  },
});

interface Held {
  signMs: number;
  isStuck: boolean;
}

/**
 * When each job of this worker last got on, and when the worker last looked at the queue. A process whose event loop
 * turns may all the same do nothing: a stage that waits for an answer that never comes keeps a job for ever.
 */
export class WorkerLiveness {
  private readonly held = new Map<ClaimedJob, Held>();
  private lookedMs: number | undefined;

  constructor(private readonly now: () => number = () => performance.now()) {}

  /** From now on the gauge shows this worker. */
  observe(): void {
    this.looked();
    silenceSeconds = () => this.silenceMs / 1_000;
  }

  stop(): void {
    silenceSeconds = () => 0;
  }

  /** The worker looked at the queue, or waits for a job to end. */
  looked(): void {
    this.lookedMs = this.now();
  }

  begin(job: ClaimedJob): void {
    this.held.set(job, { signMs: this.now(), isStuck: false });
  }

  gotOn(job: ClaimedJob): void {
    const held = this.held.get(job);
    if (held) held.signMs = this.now();
  }

  silenceOf(job: ClaimedJob): number {
    const held = this.held.get(job);
    return held ? this.now() - held.signMs : 0;
  }

  /** The job was given up, but what works on it here has not ended. */
  stuck(job: ClaimedJob): void {
    const held = this.held.get(job);
    if (held) held.isStuck = true;
  }

  end(job: ClaimedJob): void {
    this.held.delete(job);
  }

  /** How many given-up jobs still occupy this process. */
  get stuckJobs(): number {
    return [...this.held.values()].filter(({ isStuck }) => isStuck).length;
  }

  /** Of the one that has been silent for longest: a job, or the look at the queue. */
  get silenceMs(): number {
    const signs = [...this.held.values()].map(({ signMs }) => signMs);
    return this.lookedMs === undefined ? 0 : this.now() - Math.min(this.lookedMs, ...signs);
  }
}
