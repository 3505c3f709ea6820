import { gauge } from '#libs/observability';
import type { QueueState } from './job.store.js';

type ReadQueue = () => Promise<QueueState | undefined>;

/** Several gauges, and scrapers that come together, share one look at the queue. */
const FRESH_MS = 2_000;
/** A scrape does not wait longer for a database in trouble: the other metrics are needed most then. */
const LIMIT_MS = 2_000;

let readQueue: ReadQueue = () => Promise.resolve(undefined);

/** Read at each scrape and in every role, or nobody would tell of a queue whose workers are all dead. */
export const queueWaiting = gauge({
  name: 'navigator_ingestion_queue_jobs',
  help: 'Jobs that could run and wait; NaN while the database does not tell',
  async collect() {
    this.set((await readQueue())?.waiting ?? NaN);
  },
});
export const queueAgeSeconds = gauge({
  name: 'navigator_ingestion_queue_age_seconds',
  help: 'How long the oldest waiting job has waited; NaN while the database does not tell',
  async collect() {
    this.set((await readQueue())?.oldestSeconds ?? NaN);
  },
});

/** From now on the gauges show this queue. */
export function observeQueue(
  queueState: () => Promise<QueueState>,
  { limitMs = LIMIT_MS, now = () => performance.now() } = {},
): void {
  let latest: Promise<QueueState | undefined> | undefined;
  let freshUntil = 0;
  readQueue = () => {
    if (!latest || now() >= freshUntil) {
      freshUntil = now() + FRESH_MS;
      latest = unlessInTrouble(queueState(), limitMs);
    }
    return latest;
  };
}

/** A failure that threw would take all metrics with it. */
async function unlessInTrouble<T>(work: Promise<T>, limitMs: number): Promise<T | undefined> {
  const late = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => late.resolve(undefined), limitMs);
  try {
    return await Promise.race([work, late.promise]);
  } catch {
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}
