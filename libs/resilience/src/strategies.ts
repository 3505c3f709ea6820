import { Bulkhead } from './bulkhead/index.js';
import { BreakerStrategy, CircuitBreaker } from './circuit-breaker/index.js';
import type { Clock, Random } from './clock.js';
import type { FaultInjector } from './faults.js';
import { HedgeBudget } from './hedging.js';
import type { LatencyEstimate } from './latency.js';
import type { EffectiveOptions } from './options.js';
import type { Outcome } from './policy-types.js';
import {
  type Attempt,
  AttemptTimeoutStrategy,
  BulkheadStrategy,
  FaultStrategy,
  HedgeStrategy,
  Pipeline,
  type Strategy,
  ThrottleStrategy,
} from './pipeline/index.js';
import { RetryStrategy } from './retry/index.js';

/** The share of a bulkhead's permits above which it has none to spare. */
const MOST_IN_USE = 0.7;

export interface StrategyDependencies {
  name: string;
  clock: Clock;
  random: Random;
  faults?: FaultInjector;
  breaker: CircuitBreaker;
  latency: LatencyEstimate;
  hasTime: () => boolean;
  outcomeOf(error: unknown, attempt: Attempt): Outcome;
  observe(attempt: Attempt, elapsedMs: number, error: unknown): void;
  /** Of things that happen too often for a history. */
  count(event: string): void;
  onBudgetExhausted(): void;
}

/**
 * What a policy is made of. A strategy outlives a change of its options, with all that it has counted; one whose section
 * appears or goes is put in or taken out.
 */
export class Strategies {
  bulkhead?: Bulkhead;
  retry?: RetryStrategy;
  throttle?: ThrottleStrategy;
  private hedge?: HedgeStrategy;
  private readonly hedgeBudget = new HedgeBudget(0);
  private readonly attemptTimeout: AttemptTimeoutStrategy;
  private readonly breakerStrategy: BreakerStrategy;
  private probeTimeoutMs = Infinity;

  constructor(private readonly deps: StrategyDependencies) {
    const { name, breaker, clock, outcomeOf, count } = deps;
    this.attemptTimeout = new AttemptTimeoutStrategy(0, clock, deps.observe);
    this.breakerStrategy = new BreakerStrategy(name, breaker, {
      clock,
      outcomeOf,
      probeTimeoutMs: () => this.probeTimeoutMs,
      onReject: () => count('rejected'),
    });
  }

  /** @returns the pipeline of these options; what is under way ends in the one that it began in */
  apply(options: EffectiveOptions): Pipeline {
    const { name, breaker, clock, outcomeOf, faults } = this.deps;
    this.attemptTimeout.timeoutMs = options.attemptTimeoutMs;
    this.probeTimeoutMs = options.breaker?.probeTimeoutMs ?? Infinity;
    breaker.update(options.breaker);
    this.applyRetry(options);
    this.applyThrottle(options);
    this.applyHedge(options);
    const bulkhead = this.applyBulkhead(options);
    const strategies: (Strategy | undefined)[] = [
      this.retry,
      this.throttle,
      this.hedge,
      this.breakerStrategy,
      bulkhead && new BulkheadStrategy(bulkhead, clock, outcomeOf),
      this.attemptTimeout,
      faults && new FaultStrategy(name, faults),
    ];
    const present = strategies.filter((strategy) => strategy !== undefined);
    return new Pipeline(name, present, () => clock.now());
  }

  private applyRetry({ retry }: EffectiveOptions): void {
    const { clock, random, latency, count, onBudgetExhausted } = this.deps;
    if (!retry) this.retry = undefined;
    else if (this.retry) this.retry.update(retry);
    else
      this.retry = new RetryStrategy(retry, {
        clock,
        random,
        p50Ms: () => latency.quantile(0.5),
        onRetry: () => count('retry'),
        onBudgetExhausted,
      });
  }

  private applyThrottle({ throttle }: EffectiveOptions): void {
    const { name, clock, random, breaker, outcomeOf, count } = this.deps;
    if (!throttle) this.throttle = undefined;
    else if (this.throttle) this.throttle.update(throttle);
    else
      this.throttle = new ThrottleStrategy(name, throttle, {
        clock,
        random,
        outcomeOf,
        isCircuitClosed: () => breaker.state === 'closed' || breaker.state === 'metrics-only',
        onReject: () => count('throttled'),
      });
  }

  private applyHedge({ hedge }: EffectiveOptions): void {
    const { clock, latency, count } = this.deps;
    if (hedge) this.hedgeBudget.update(hedge.budgetRatio);
    if (!hedge) this.hedge = undefined;
    else if (this.hedge) this.hedge.options = hedge;
    else
      this.hedge = new HedgeStrategy(hedge, {
        clock,
        budget: this.hedgeBudget,
        p95Ms: () => latency.quantile(0.95),
        allowed: () => this.mayHedge(),
        onHedge: () => count('hedge'),
      });
  }

  /** Asking twice helps against one slow answer; when everything is slow because there is too much, it makes it worse. */
  private mayHedge(): boolean {
    const { breaker, hasTime } = this.deps;
    const { inUse = 0, limit = 1 } = this.bulkhead ?? {};
    return breaker.state === 'closed' && inUse <= MOST_IN_USE * limit && hasTime();
  }

  private applyBulkhead({ bulkhead }: EffectiveOptions): Bulkhead | undefined {
    const { name, clock } = this.deps;
    if (!bulkhead) this.bulkhead = undefined;
    else if (this.bulkhead) this.bulkhead.update(bulkhead);
    else this.bulkhead = new Bulkhead(bulkhead, { name, clock });
    return this.bulkhead;
  }
}
