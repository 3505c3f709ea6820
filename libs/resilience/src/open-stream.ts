import type { Attempt, Work } from './pipeline/index.js';
import type { Outcome } from './policy-types.js';

/** A stream whose first item is there. */
export class OpenStream<T> {
  private rejectNext?: (reason: unknown) => void;
  /** An item that the stream is at work on. */
  private awaited?: Promise<IteratorResult<T>>;

  private constructor(
    private readonly items: AsyncIterator<T>,
    private readonly first: IteratorResult<T>,
    private readonly attempt: Attempt,
    private readonly signal: AbortSignal,
  ) {
    signal.addEventListener('abort', () => this.rejectNext?.(signal.reason), { once: true });
  }

  /** The work of a call that ends when the first item is there. What comes too late is closed again. */
  static opening<T>(open: (signal: AbortSignal) => AsyncIterable<T>): Work {
    return async (signal, attempt) => {
      const items = open(signal)[Symbol.asyncIterator]();
      const first = await items.next();
      if (signal.aborted) {
        close(items);
        throw signal.reason;
      }
      return new OpenStream(items, first, attempt, signal);
    };
  }

  /**
   * The items. At the end what is held for the stream is let go: a success only when it ended by itself, nothing when
   * its reader left.
   */
  async *read(outcomeOf: (error: unknown, attempt: Attempt) => Outcome): AsyncGenerator<T> {
    let outcome: Outcome = 'ignored';
    try {
      for (let item = this.first; !item.done; item = await this.next()) yield item.value;
      outcome = 'success';
    } catch (error) {
      outcome = outcomeOf(error, this.attempt);
      throw error;
    } finally {
      // A stream that does not listen is at work on its next item for a while, and as long it is a call under way.
      this.attempt.abandoned = this.awaited;
      this.attempt.end(outcome);
      if (outcome !== 'success') close(this.items);
    }
  }

  /** Does not wait longer than until the signal is aborted, even if the stream does not listen to it. */
  private next(): Promise<IteratorResult<T>> {
    return new Promise((resolve, reject) => {
      if (this.signal.aborted) return reject(this.signal.reason as Error);
      this.rejectNext = reject;
      this.awaited = this.items.next();
      this.awaited.finally(() => (this.awaited = undefined)).then(resolve, reject);
    });
  }
}

/** Not waited for: a stream that hangs would hang its closing too. */
function close(items: AsyncIterator<unknown>): void {
  items.return?.().catch(() => undefined);
}
