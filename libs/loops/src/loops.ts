import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '@nestjs/common';

/** After this, what will not end is left to its lease. */
const STOP_LIMIT_MS = 15_000;

/** Where a worker gets what it works on. */
export interface WorkSource<Item> {
  /** Whether one more may be begun beside so many that run. */
  hasRoom(running: number): boolean;
  /** Undefined when there is none. */
  claim(): Promise<Item | undefined>;
  /** Settles by itself what becomes of it, and never rejects. */
  work(item: Item): Promise<void>;
  /** Resolves when there may be some, at the latest after a while or when the signal aborts. */
  queued(signal: AbortSignal): Promise<void>;
}

/** What goes on until it is stopped: taking work from a queue, and chores again and again. */
export class Loops {
  private readonly stopping = new AbortController();
  private readonly loops: Promise<void>[] = [];
  private readonly running = new Set<Promise<void>>();

  constructor(private readonly logger: Pick<Logger, 'warn'>) {}

  /** Aborts when the worker stops. */
  get signal(): AbortSignal {
    return this.stopping.signal;
  }

  /** Begins what the source has, as much at a time as it has room for. */
  take<Item>(source: WorkSource<Item>): void {
    this.loops.push(this.takeFrom(source));
  }

  /**
   * Does a chore now, and again so long after each time it has ended, whether or not it failed; at once when it says
   * by `true` that there is more to do.
   * @param failure what is logged when it did
   */
  repeat(pauseMs: number, chore: () => Promise<unknown>, failure: string): void {
    this.loops.push(this.doAgain(pauseMs, chore, failure));
  }

  /** Begins nothing any more. Resolves when all has ended that runs, or after a quarter of a minute. */
  async stop(): Promise<void> {
    this.stopping.abort(new Error('The program is stopping'));
    const limit = new AbortController();
    await Promise.race([
      Promise.all([...this.loops, ...this.running]),
      delay(STOP_LIMIT_MS, undefined, { signal: limit.signal }).catch(() => undefined),
    ]);
    limit.abort();
  }

  private async takeFrom<Item>(source: WorkSource<Item>): Promise<void> {
    while (!this.signal.aborted) {
      // Listening begins before looking, so that nothing queued in between is overslept.
      const idle = new AbortController();
      const queued = source.queued(AbortSignal.any([idle.signal, this.signal]));
      const item = source.hasRoom(this.running.size) ? await this.claim(source) : undefined;
      if (item !== undefined) this.begin(source.work(item));
      else await Promise.race([queued, ...this.running]);
      idle.abort();
    }
  }

  private async claim<Item>(source: WorkSource<Item>): Promise<Item | undefined> {
    try {
      return await source.claim();
    } catch (error) {
      this.logger.warn({ error: (error as Error).name }, 'no work could be claimed');
      return undefined;
    }
  }

  private begin(work: Promise<void>): void {
    const ended = work.finally(() => this.running.delete(ended));
    this.running.add(ended);
  }

  private async doAgain(pauseMs: number, chore: () => Promise<unknown>, failure: string): Promise<void> {
    while (!this.signal.aborted) {
      let hasMore: unknown = false;
      try {
        hasMore = await chore();
      } catch (error) {
        this.logger.warn({ error: (error as Error).name }, failure);
      }
      if (hasMore !== true) await delay(pauseMs, undefined, { signal: this.signal }).catch(() => undefined);
    }
  }
}
