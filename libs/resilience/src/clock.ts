/** Time as the policies see it, so that tests can let it pass. */
export interface Clock {
  /** Milliseconds that only ever grow: the wall clock may jump. */
  now(): number;
  /** Calls back once after `ms`, unless the returned function was called before. Keeps no process alive. */
  after(ms: number, callback: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms).unref();
    return () => clearTimeout(timer);
  },
};

/** A number from 0 (inclusive) to 1 (exclusive). */
export type Random = () => number;
