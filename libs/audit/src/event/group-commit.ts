interface Waiting<Event> {
  event: Event;
  done: PromiseWithResolvers<void>;
}

/** Of one transaction; more would keep the first of them waiting for the last. */
const LARGEST_BATCH = 500;
/** While one transaction waits for the disk, the next is being written. */
const AT_ONCE = 2;
/** After a transaction, the next waits this long at most for as many as that one had: those who were answered ask again. */
const COMPANY_MS = 2;

/**
 * Writes what many callers wait for in few transactions: whatever came while the transactions before were under way goes
 * with the next. Where many ask all the time, a transaction waits a moment for company, because its own cost is that of
 * dozens of events; a lone caller never does.
 */
export class GroupCommit<Event> {
  private readonly waiting: Waiting<Event>[] = [];
  private underWay = 0;
  /** How many the latest transaction had. */
  private usual = 0;
  private companyUntil = 0;
  private arrived?: () => void;

  /**
   * @param write commits all of these events or none
   * @param isOfOne tells errors that may be due to a single event from those that would befall any
   */
  constructor(
    private readonly write: (events: readonly Event[]) => Promise<unknown>,
    private readonly isOfOne: (error: unknown) => boolean,
    private readonly companyMs = COMPANY_MS,
  ) {}

  /**
   * Resolves when the event is committed.
   *
   * @throws what `write` throws
   */
  add(event: Event): Promise<void> {
    const done = Promise.withResolvers<void>();
    this.waiting.push({ event, done });
    if (this.waiting.length >= this.usual) this.arrived?.();
    // A turn later, so that those who come in the same turn share a transaction.
    setImmediate(() => void this.commitWaiting());
    return done.promise;
  }

  private async commitWaiting(): Promise<void> {
    if (this.underWay >= AT_ONCE) return;
    this.underWay += 1;
    try {
      // Who waits for company already takes them all.
      while (this.waiting.length > 0 && !this.arrived) {
        await this.company();
        const batch = this.waiting.splice(0, LARGEST_BATCH);
        this.usual = batch.length;
        await this.commit(batch);
        this.companyUntil = performance.now() + this.companyMs;
      }
    } finally {
      this.underWay -= 1;
    }
  }

  /** Resolves when as many wait as went with the latest transaction, or soon. */
  private company(): Promise<void> | undefined {
    const ms = this.companyUntil - performance.now();
    if (ms <= 0 || this.waiting.length >= this.usual) return undefined;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, Math.ceil(ms));
    this.arrived = resolve;
    return promise.finally(() => {
      clearTimeout(timer);
      this.arrived = undefined;
    });
  }

  /** An event that the log refuses must not take others with it. */
  private async commit(batch: Waiting<Event>[]): Promise<void> {
    try {
      await this.write(batch.map(({ event }) => event));
      for (const { done } of batch) done.resolve();
    } catch (error) {
      if (batch.length === 1 || !this.isOfOne(error)) for (const { done } of batch) done.reject(error);
      else for (const each of batch) await this.commit([each]);
    }
  }
}
