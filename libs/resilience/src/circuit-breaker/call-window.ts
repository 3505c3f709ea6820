import type { BreakerOptions } from '../options.js';

/** What the last calls came to. A call that failed slowly is both. */
export interface CallCounts {
  calls: number;
  failures: number;
  slow: number;
}

/** The calls that a circuit is judged by. Times are `Clock.now()`'s and never go back. */
export interface CallWindow {
  record(now: number, failed: boolean, slow: boolean): void;
  /** The same object every time, so that looking costs nothing. */
  counts(now: number): Readonly<CallCounts>;
  clear(): void;
}

export function createWindow({ window, windowMs, size }: BreakerOptions): CallWindow {
  if (window === 'time') return new TimeWindow(windowMs);
  return window === 'count' ? new CountWindow(size) : new ConsecutiveWindow();
}

const BUCKETS = 20;

/**
 * The calls of the last `lengthMs`, in twenty buckets of time. A bucket expires when time has passed, whether or not
 * there were calls since: old failures never judge a dependency that is hardly used. It reaches back between 19 and 20
 * buckets.
 */
export class TimeWindow implements CallWindow {
  private readonly calls = new Float64Array(BUCKETS);
  private readonly failures = new Float64Array(BUCKETS);
  private readonly slow = new Float64Array(BUCKETS);
  private readonly total = { calls: 0, failures: 0, slow: 0 };
  private readonly bucketMs: number;
  /** Number of the newest bucket, counted from the clock's zero. */
  private newest = 0;
  private newestEndsAt = 0;

  constructor(lengthMs: number) {
    this.bucketMs = lengthMs / BUCKETS;
  }

  record(now: number, failed: boolean, slow: boolean): void {
    if (now >= this.newestEndsAt) this.expire(now);
    const index = this.newest % BUCKETS;
    this.calls[index]! += 1;
    this.total.calls++;
    if (failed) {
      this.failures[index]! += 1;
      this.total.failures++;
    }
    if (slow) {
      this.slow[index]! += 1;
      this.total.slow++;
    }
  }

  counts(now: number): Readonly<CallCounts> {
    if (now >= this.newestEndsAt) this.expire(now);
    return this.total;
  }

  clear(): void {
    for (let index = 0; index < BUCKETS; index++) this.empty(index);
  }

  /** Takes over what another window has counted, each bucket as old as it is. */
  adopt(other: TimeWindow, now: number): void {
    other.expire(now);
    this.expire(now);
    for (let age = 0; age < BUCKETS && age <= other.newest; age++) {
      const from = (other.newest - age) % BUCKETS;
      const bucketsAgo = Math.floor((age * other.bucketMs) / this.bucketMs);
      if (bucketsAgo >= BUCKETS || bucketsAgo > this.newest) break;
      this.add((this.newest - bucketsAgo) % BUCKETS, other, from);
    }
  }

  private add(index: number, other: TimeWindow, from: number): void {
    for (const column of ['calls', 'failures', 'slow'] as const) {
      this[column][index]! += other[column][from]!;
      this.total[column] += other[column][from]!;
    }
  }

  private expire(now: number): void {
    const newest = Math.floor(now / this.bucketMs);
    const passed = Math.min(newest - this.newest, BUCKETS);
    for (let i = 1; i <= passed; i++) this.empty((this.newest + i) % BUCKETS);
    this.newest = newest;
    this.newestEndsAt = (newest + 1) * this.bucketMs;
  }

  private empty(index: number): void {
    for (const column of ['calls', 'failures', 'slow'] as const) {
      this.total[column] -= this[column][index]!;
      this[column][index] = 0;
    }
  }
}

const FAILED = 1;
const SLOW = 2;

/** The last `size` calls, however old. For what is called rarely. */
export class CountWindow implements CallWindow {
  private readonly outcomes: Uint8Array;
  private readonly total = { calls: 0, failures: 0, slow: 0 };
  private next = 0;

  constructor(size: number) {
    this.outcomes = new Uint8Array(size);
  }

  record(_now: number, failed: boolean, slow: boolean): void {
    const { outcomes, total } = this;
    if (total.calls === outcomes.length) this.forget(outcomes[this.next]!);
    outcomes[this.next] = (failed ? FAILED : 0) | (slow ? SLOW : 0);
    this.next = (this.next + 1) % outcomes.length;
    total.calls++;
    if (failed) total.failures++;
    if (slow) total.slow++;
  }

  counts(): Readonly<CallCounts> {
    return this.total;
  }

  clear(): void {
    this.next = 0;
    Object.assign(this.total, { calls: 0, failures: 0, slow: 0 });
  }

  /** Takes over the last calls that another window has counted, as many as there is room for. */
  adopt(other: CountWindow, now: number): void {
    const known = other.total.calls;
    for (let age = Math.min(known, this.outcomes.length); age > 0; age--) {
      const outcome = other.outcomes[(other.next - age + other.outcomes.length) % other.outcomes.length]!;
      this.record(now, (outcome & FAILED) !== 0, (outcome & SLOW) !== 0);
    }
  }

  private forget(outcome: number): void {
    this.total.calls--;
    if (outcome & FAILED) this.total.failures--;
    if (outcome & SLOW) this.total.slow--;
  }
}

/** The failures, and the slow calls, in a row. For connecting, which either works or does not. */
export class ConsecutiveWindow implements CallWindow {
  private readonly total = { calls: 0, failures: 0, slow: 0 };

  record(_now: number, failed: boolean, slow: boolean): void {
    const { total } = this;
    total.failures = failed ? total.failures + 1 : 0;
    total.slow = slow ? total.slow + 1 : 0;
    total.calls = Math.max(total.failures, total.slow);
  }

  counts(): Readonly<CallCounts> {
    return this.total;
  }

  clear(): void {
    Object.assign(this.total, { calls: 0, failures: 0, slow: 0 });
  }
}
