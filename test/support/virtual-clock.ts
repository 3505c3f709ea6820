import type { Clock } from '#libs/resilience';

interface Timer {
  at: number;
  order: number;
  callback: () => void;
}

/** Time that passes only when a test says so. */
export class VirtualClock implements Clock {
  private time = 0;
  private order = 0;
  private readonly timers = new Set<Timer>();

  now(): number {
    return this.time;
  }

  after(ms: number, callback: () => void): () => void {
    const timer = { at: this.time + Math.max(0, ms), order: this.order++, callback };
    this.timers.add(timer);
    return () => void this.timers.delete(timer);
  }

  /** Timers that were neither called nor cleared. */
  get pending(): number {
    return this.timers.size;
  }

  /** Lets `ms` pass: calls every timer in its turn, and after each lets everything run that waits for a promise. */
  async advance(ms: number): Promise<void> {
    const until = this.time + ms;
    await settled();
    for (let timer = this.nextUntil(until); timer; timer = this.nextUntil(until)) {
      this.timers.delete(timer);
      this.time = Math.max(this.time, timer.at);
      timer.callback();
      await settled();
    }
    this.time = until;
  }

  /** A promise that is kept after `ms`, and rejected when `signal` is aborted before. */
  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const leave = () => {
        clear();
        reject(signal!.reason as Error);
      };
      const clear = this.after(ms, () => {
        signal?.removeEventListener('abort', leave);
        resolve();
      });
      signal?.addEventListener('abort', leave, { once: true });
    });
  }

  private nextUntil(until: number): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.timers)
      if (
        timer.at <= until &&
        (!next || timer.at < next.at || (timer.at === next.at && timer.order < next.order))
      )
        next = timer;
    return next;
  }
}

/** When no promise is left that could be kept without time passing: all microtasks run before the next macrotask. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
