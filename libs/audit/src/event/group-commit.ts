interface Waiting<Event> {
  event: Event;
  done: PromiseWithResolvers<void>;
}

/** Of one transaction; more would keep the first of them waiting for the last. */
const LARGEST_BATCH = 500;
/** While one transaction waits for the disk, the next is being written. */
const AT_ONCE = 2;

/**
 * Writes what many callers wait for in few transactions: whatever came while the transactions before were under way goes
 * with the next. Nobody waits for company.
 */
export class GroupCommit<Event> {
  private readonly waiting: Waiting<Event>[] = [];
  private underWay = 0;

  /**
   * @param write commits all of these events or none
   * @param isOfOne tells errors that may be due to a single event from those that would befall any
   */
  constructor(
    private readonly write: (events: readonly Event[]) => Promise<unknown>,
    private readonly isOfOne: (error: unknown) => boolean,
  ) {}

  /**
   * Resolves when the event is committed.
   *
   * @throws what `write` throws
   */
  add(event: Event): Promise<void> {
    const done = Promise.withResolvers<void>();
    this.waiting.push({ event, done });
    // A turn later, so that those who come in the same turn share a transaction.
    setImmediate(() => void this.commitWaiting());
    return done.promise;
  }

  private async commitWaiting(): Promise<void> {
    if (this.underWay >= AT_ONCE) return;
    this.underWay += 1;
    try {
      while (this.waiting.length > 0) await this.commit(this.waiting.splice(0, LARGEST_BATCH));
    } finally {
      this.underWay -= 1;
    }
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
