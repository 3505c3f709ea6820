import type { Clock } from '../clock.js';
import { type HedgeBudget, hedged } from '../hedging.js';
import type { HedgeOptions } from '../options.js';
import type { Attempt } from './attempt.js';
import type { Next, Strategy } from './pipeline.js';

export interface HedgeDependencies {
  clock: Clock;
  budget: HedgeBudget;
  /** The live 95th percentile; undefined until there were enough calls. */
  p95Ms(): number | undefined;
  /** false while the circuit is not closed or there is too much to do. */
  allowed(): boolean;
  onHedge(): void;
}

/** Asks once more when an idempotent call takes longer than nearly all others, and takes the first answer. */
export class HedgeStrategy implements Strategy {
  readonly kind = 'hedge';

  constructor(
    public options: HedgeOptions,
    private readonly deps: HedgeDependencies,
  ) {}

  execute(attempt: Attempt, next: Next): Promise<unknown> {
    const { budget, clock, allowed, onHedge } = this.deps;
    const p95Ms = this.deps.p95Ms();
    if (!attempt.call.idempotent || p95Ms === undefined) return next(attempt);
    const afterMs = Math.max(this.options.floorMs, p95Ms);
    return hedged((signal) => next(attempt.again(signal)), {
      afterMs,
      budget,
      clock,
      signal: attempt.signal,
      allowed,
      onHedge,
    });
  }
}
