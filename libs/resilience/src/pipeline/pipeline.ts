import type { Attempt } from './attempt.js';

/**
 * The strategies in their one order, outermost first. Whatever comes before them (admission, rate limits, caches,
 * fallbacks, the deadline) belongs to the request and not to one dependency.
 *
 * A retry outside of the breaker finds the circuit open when it has opened meanwhile; a bulkhead inside of both limits
 * what really reaches the dependency; the attempt's time begins when its permit is there; faults stand for the call.
 */
export const STRATEGY_ORDER = [
  'retry',
  'throttle',
  'hedge',
  'breaker',
  'bulkhead',
  'attempt-timeout',
  'faults',
] as const;
export type StrategyKind = (typeof STRATEGY_ORDER)[number];

export type Next = (attempt: Attempt) => Promise<unknown>;

export interface Strategy {
  readonly kind: StrategyKind;
  execute(attempt: Attempt, next: Next): Promise<unknown>;
}

/** A mistake in our wiring, found when the pipeline is put together. */
export class IllegalPipeline extends Error {
  constructor(pipeline: string, problem: string) {
    super(`The pipeline ${pipeline} ${problem}`);
    this.name = 'IllegalPipeline';
  }
}

/** A name and an ordered list of strategies that never changes. */
export class Pipeline {
  readonly strategies: readonly Strategy[];
  /** Runs an attempt through all strategies; the innermost of them makes the call. */
  readonly execute: Next;

  /** @throws IllegalPipeline when a strategy is there twice or not in its place */
  constructor(
    readonly name: string,
    strategies: readonly Strategy[],
    now: () => number,
  ) {
    this.strategies = Object.freeze([...strategies]);
    for (const [index, { kind }] of this.strategies.entries()) {
      const before = this.strategies[index - 1]?.kind;
      if (before === undefined) continue;
      if (before === kind) throw new IllegalPipeline(name, `has ${kind} twice`);
      if (STRATEGY_ORDER.indexOf(before) > STRATEGY_ORDER.indexOf(kind))
        throw new IllegalPipeline(name, `has ${kind} inside of ${before}`);
    }
    this.execute = this.strategies.reduceRight<Next>(
      (next, strategy) => (attempt) => strategy.execute(attempt, next),
      (attempt) => attempt.run(attempt.startedAt ?? now()),
    );
  }

  /** Kinds, outermost first. */
  describe(): StrategyKind[] {
    return this.strategies.map(({ kind }) => kind);
  }
}
