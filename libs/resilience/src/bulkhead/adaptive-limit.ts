import type { Clock } from '../clock.js';

/** One burst of overload comes as many rejections; within this time they are one. */
const PAUSE_MS = 1_000;
const DECREASE = 0.9;

/**
 * How many calls a dependency bears at once, learnt from what it says (additive increase, multiplicative decrease): a
 * tenth less at overload, one more after as many successes as the limit, while at least half of it is used.
 */
export class AdaptiveLimit {
  private exact: number;
  private loweredAt = -Infinity;

  constructor(
    private min: number,
    private max: number,
    private readonly clock: Clock,
  ) {
    this.exact = max;
  }

  get value(): number {
    return Math.floor(this.exact);
  }

  onOverload(): void {
    const now = this.clock.now();
    if (now - this.loweredAt < PAUSE_MS) return;
    this.loweredAt = now;
    this.exact = Math.max(this.min, Math.min(this.exact * DECREASE, this.value - 1));
  }

  onSuccess(inUse: number): void {
    if (inUse * 2 >= this.value) this.exact = Math.min(this.max, this.exact + 1 / this.exact);
  }

  /** New bounds; what was learnt is kept within them. */
  update(min: number, max: number): void {
    // Who was at the old maximum had not been told to stay below it.
    const learnt = this.exact >= this.max ? max : this.exact;
    this.min = min;
    this.max = max;
    this.exact = Math.max(min, Math.min(max, learnt));
  }
}
