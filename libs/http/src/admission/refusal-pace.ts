import { type Clock, systemClock } from '#libs/resilience';

/** Each costs a tenth of a millisecond and more, so these take a tenth of the event loop's time. */
const PER_SECOND = 1_000;
const LONGEST_MS = 1_000;

/**
 * Answers no more refusals in a second than leave time for work. Clients who come back at once, whatever `Retry-After`
 * says, are otherwise refused ten thousand times a second, and nobody else gets anything. The decision is made at once;
 * it is only told later, and never later than by a second.
 */
export class RefusalPace {
  private nextAt = 0;

  constructor(private readonly clock: Pick<Clock, 'now'> = systemClock) {}

  /** Milliseconds for which this refusal is to be held back; below the pace 0. */
  delayMs(): number {
    const now = this.clock.now();
    // A tenth of a second's worth may go out together.
    const delayMs = Math.max(0, this.nextAt - now - LONGEST_MS / 10);
    if (delayMs >= LONGEST_MS) return LONGEST_MS;
    this.nextAt = Math.max(this.nextAt, now) + 1_000 / PER_SECOND;
    return delayMs;
  }
}
