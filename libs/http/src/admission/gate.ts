import {
  Bulkhead,
  type BulkheadCall,
  type BulkheadOptions,
  type Clock,
  type Release,
  systemClock,
} from '#libs/resilience';
import { DependencyUnavailable } from '#libs/errors';
import { ServerOverloaded } from '../http.errors.js';

export interface GateOptions {
  /** Requests that are worked on at once, at most. */
  concurrency: number;
  /** Who would have to wait for longer is refused at once. */
  maxWaitMs: number;
}

/** A bound for the memory; it is the expected wait that turns people away. */
const MOST_WAITING = 10_000;
const LEAST_CONCURRENCY = 4;
const MOST_STRETCH = 4;
/** Assumed until it has been measured. */
const FIRST_INTERVAL_MS = 10;
/** The weight of the latest interval in the mean. */
const SMOOTHING = 0.1;

/**
 * Where expensive requests (questions, searches) wait for their turn: more of them at once would make all of them
 * slower and none of them sooner. Tenants take turns, so that the wait is one's own: who asks little is not behind who
 * asks much. A request whose wait would be too long is told so when it comes, and not after it has waited.
 */
export class Gate {
  private readonly bulkhead: Bulkhead;
  private readonly clock: Clock;
  private readonly waiting = new Map<string, number>();
  /** Mean time from one request's end to the next one's while others wait. */
  private intervalMs = FIRST_INTERVAL_MS;
  private endedAt = -Infinity;
  private concurrency: number;

  constructor(
    private readonly options: GateOptions,
    { clock = systemClock }: { clock?: Clock } = {},
  ) {
    this.clock = clock;
    this.concurrency = options.concurrency;
    this.bulkhead = new Bulkhead(bulkheadOptions(options, options.concurrency), { name: 'admission', clock });
  }

  get limit(): number {
    return this.bulkhead.limit;
  }

  get inUse(): number {
    return this.bulkhead.inUse;
  }

  get queued(): number {
    return this.bulkhead.queued;
  }

  /** Milliseconds that the tenant's next request has to wait, as far as can be told; 0 when there is room. */
  expectedWaitMs(tenantId: string): number {
    if (this.bulkhead.queued === 0) return 0;
    const own = this.waiting.get(tenantId) ?? 0;
    const others = this.waiting.size - (own > 0 ? 1 : 0);
    return (own + 1) * (others + 1) * this.intervalMs;
  }

  /** Milliseconds after which to come back, for a tenant whose next request would wait for too long; else undefined. */
  refusalMs(tenantId: string): number | undefined {
    const waitMs = this.expectedWaitMs(tenantId);
    return waitMs > this.options.maxWaitMs ? waitMs : undefined;
  }

  /** The place of a request, at once or never; whoever has none waits by `wait`. */
  tryEnter(call: BulkheadCall): Release | undefined {
    const release = this.bulkhead.tryAcquire(call);
    return release && this.counted(release);
  }

  /** @throws ServerOverloaded, and the signal's reason */
  async wait(call: BulkheadCall & { tenantId: string }): Promise<Release> {
    const { tenantId } = call;
    const refusalMs = this.refusalMs(tenantId);
    if (refusalMs !== undefined) throw new ServerOverloaded(refusalMs);
    this.waiting.set(tenantId, (this.waiting.get(tenantId) ?? 0) + 1);
    try {
      return this.counted(await this.bulkhead.acquire(call));
    } catch (error) {
      if (error instanceof DependencyUnavailable) throw new ServerOverloaded(this.options.maxWaitMs);
      throw error;
    } finally {
      this.leave(tenantId);
    }
  }

  /** The process is too full: fewer at once. It becomes more again by itself, as long as that is of use. */
  onOverload(): void {
    this.bulkhead.onOverload();
  }

  /**
   * For requests that wait for something else for most of their time: so many times as many at once, four at most, do
   * not slow each other down.
   */
  stretch(times: number): void {
    const concurrency = Math.round(this.options.concurrency * Math.min(MOST_STRETCH, Math.max(1, times)));
    if (concurrency === this.concurrency) return;
    this.concurrency = concurrency;
    this.bulkhead.update(bulkheadOptions(this.options, concurrency));
  }

  private leave(tenantId: string): void {
    const left = this.waiting.get(tenantId)! - 1;
    if (left > 0) this.waiting.set(tenantId, left);
    else this.waiting.delete(tenantId);
  }

  private counted(release: Release): Release {
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.measure();
      this.bulkhead.onSuccess();
      release();
    };
  }

  private measure(): void {
    const now = this.clock.now();
    const intervalMs = now - this.endedAt;
    this.endedAt = now;
    // Only while others wait does the work set the pace, and not those who ask.
    if (this.bulkhead.queued > 0 && intervalMs < this.options.maxWaitMs)
      this.intervalMs += (intervalMs - this.intervalMs) * SMOOTHING;
  }
}

function bulkheadOptions(
  { maxWaitMs, concurrency: usual }: GateOptions,
  concurrency: number,
): BulkheadOptions {
  return {
    concurrency,
    queue: MOST_WAITING,
    tenantQueue: MOST_WAITING,
    // The expectation was wrong by much: the work has become slower since.
    maxWaitMs: 2 * maxWaitMs,
    tenantShare: 0.4,
    reserved: 0,
    adaptive: { min: Math.min(LEAST_CONCURRENCY, usual) },
  };
}
