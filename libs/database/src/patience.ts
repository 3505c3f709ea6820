import type { DataSource } from 'typeorm';

/** As long as the database is as quick as usual, whoever finds no free connection in this time is better told so. */
const LEAST_MS = 250;
/** The answer must still be worth something to who asked. */
const MOST_MS = 1_500;
/** Of the newest transaction in the mean. */
const WEIGHT = 0.1;

/**
 * How long a request waits for a connection: twice as long as one is usually held, because a database that is slow, or
 * far away, gives them back late and is none the worse for it. What failed says nothing about that: those who all wait
 * for the same lock are no reason to wait for them.
 */
export class Patience {
  private meanMs = 0;

  /** For how long a request's transaction holds its connection, lately. */
  get usualMs(): number {
    return this.meanMs;
  }

  get waitMs(): number {
    return Math.min(MOST_MS, Math.max(LEAST_MS, Math.round(2 * this.meanMs)));
  }

  /** A request's transaction succeeded after it had held its connection for so long. */
  held(ms: number): void {
    this.meanMs += WEIGHT * (ms - this.meanMs);
  }
}

/** One for each pool, whoever uses it. */
const all = new WeakMap<DataSource, Patience>();

export function patienceOf(source: DataSource): Patience {
  const patience = all.get(source) ?? new Patience();
  all.set(source, patience);
  return patience;
}
