import type { ClaimedJob } from './job.js';
import { WorkerLiveness, workerLastProgressSeconds } from './worker-liveness.js';
import { WorkerProbe } from './worker.probe.js';

let nowMs: number;
let liveness: WorkerLiveness;
const job = (documentId: string) => ({ documentId }) as ClaimedJob;
const shown = async () => (await workerLastProgressSeconds.get()).values[0]?.value;

beforeEach(() => {
  nowMs = 1_000;
  liveness = new WorkerLiveness(() => nowMs);
  liveness.observe();
});
afterEach(() => liveness.stop());

describe('the liveness of a worker', () => {
  it('is the silence of the job that has been silent for longest', async () => {
    const [a, b] = [job('a'), job('b')];
    liveness.begin(a);
    liveness.begin(b);
    nowMs += 5_000;
    liveness.gotOn(b);
    liveness.looked();
    nowMs += 1_000;
    expect(liveness.silenceOf(a)).toBe(6_000);
    expect(liveness.silenceOf(b)).toBe(1_000);
    expect(await shown()).toBe(6);
    liveness.end(a);
    expect(await shown()).toBe(1);
  });

  it('is also the time since it looked at the queue', async () => {
    nowMs += 90_000;
    expect(await shown()).toBe(90);
    liveness.looked();
    expect(await shown()).toBe(0);
  });

  it('goes on counting a job that was given up until it has ended', async () => {
    const a = job('a');
    liveness.begin(a);
    liveness.stuck(a);
    nowMs += 7_000;
    liveness.looked();
    expect(liveness.stuckJobs).toBe(1);
    expect(await shown()).toBe(7);
    liveness.end(a);
    expect(liveness.stuckJobs).toBe(0);
    expect(await shown()).toBe(0);
  });

  it('is nothing where there is no worker', async () => {
    nowMs += 90_000;
    liveness.stop();
    expect(await shown()).toBe(0);
  });
});

describe('the health of a worker', () => {
  const probe = () => new WorkerProbe(liveness, { stuckAfterMs: 10_000, maxCrashes: 1 }, true);

  it('is degraded while a job stands still, and down when it takes no more for what is stuck in it', async () => {
    const [a, b] = [job('a'), job('b')];
    liveness.begin(a);
    liveness.begin(b);
    expect(await probe().check()).toMatchObject({ degraded: false, stuck_jobs: 0 });
    nowMs += 10_001;
    expect(await probe().check()).toMatchObject({ degraded: true, last_progress_seconds: 10 });
    liveness.gotOn(b);
    liveness.stuck(a);
    liveness.looked();
    expect(await probe().check()).toMatchObject({ degraded: true, stuck_jobs: 1 });
    liveness.stuck(b);
    await expect(probe().check()).rejects.toMatchObject({ name: 'WorkerStuck' });
  });
});
