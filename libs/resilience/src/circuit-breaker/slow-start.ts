import type { Clock } from '../clock.js';

const FIRST_SHARE = 0.1;
const STEPS = 10;

/** What is widened: a bulkhead. */
interface Limited {
  setLimitShare(share: number): void;
}

/**
 * After a circuit has closed, lets the load come back step by step, from a tenth to all of it: who has just come back has
 * cold caches, and everybody was waiting for it.
 */
export class SlowStart {
  private stopWaiting?: () => void;

  constructor(
    private readonly limited: Limited,
    private readonly clock: Clock,
  ) {}

  start(lengthMs: number): void {
    this.stop();
    if (lengthMs === 0) return;
    this.step(0, lengthMs / STEPS);
  }

  /** All at once from now on. */
  stop(): void {
    this.stopWaiting?.();
    this.stopWaiting = undefined;
    this.limited.setLimitShare(1);
  }

  private step(index: number, stepMs: number): void {
    this.limited.setLimitShare(FIRST_SHARE + ((1 - FIRST_SHARE) * index) / STEPS);
    this.stopWaiting =
      index === STEPS ? undefined : this.clock.after(stepMs, () => this.step(index + 1, stepMs));
  }
}
