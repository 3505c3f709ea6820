import { type Clock, systemClock } from '#libs/resilience';

interface Pace {
  perSecond: number;
  /** Nobody is held back for longer, however many there are. */
  longestMs: number;
}

/**
 * Each costs a tenth of a millisecond and more, most of it for the socket. A newcomer's waits only if there are so many
 * that nothing else would be done.
 */
const NEWCOMERS: Pace = { perSecond: 2_000, longestMs: 1_000 };
/** Those of clients who were told to wait and did not take, all together, a twentieth of the event loop's time. */
const EARLY: Pace = { perSecond: 500, longestMs: 2_000 };

/**
 * When a refusal is told. The decision is made at once, and whoever asks for the first time, or comes back when he was
 * told to, hears of it at once. Clients who ask again at once, whatever `Retry-After` says, would otherwise be refused ten
 * thousand times a second, and nobody else would get anything: theirs are told at a pace, so that they wait after all.
 */
export class RefusalPace {
  /** When a client may come back, by its connection. */
  private readonly welcomeAt = new WeakMap<object, number>();
  private readonly newcomers = new PacedQueue(NEWCOMERS);
  private readonly early = new PacedQueue(EARLY);

  constructor(private readonly clock: Pick<Clock, 'now'> = systemClock) {}

  /**
   * Milliseconds for which this refusal is to be held back; mostly 0.
   *
   * @param connection whoever is behind it; clients of one proxy may share it, who are then held back together
   * @param retryAfterMs what the refusal says
   */
  delayMs(connection: object, retryAfterMs: number): number {
    const now = this.clock.now();
    const isEarly = now < (this.welcomeAt.get(connection) ?? 0);
    const delayMs = (isEarly ? this.early : this.newcomers).delayMs(now);
    this.welcomeAt.set(connection, now + delayMs + retryAfterMs);
    return delayMs;
  }
}

/** First come, first served. */
class PacedQueue {
  private nextAt = 0;

  constructor(private readonly pace: Pace) {}

  delayMs(now: number): number {
    const { perSecond, longestMs } = this.pace;
    // A tenth of a second's worth may go out together.
    const delayMs = Math.max(0, this.nextAt - now - 100);
    if (delayMs >= longestMs) return longestMs;
    this.nextAt = Math.max(this.nextAt, now) + 1_000 / perSecond;
    return delayMs;
  }
}
