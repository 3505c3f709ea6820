import { currentContext } from '#libs/observability';
import type { CallOptions } from './call.js';
import { callOf } from './call-of.js';
import {
  CircuitBreaker,
  circuitRefusal,
  RecoveryProbe,
  SlowStart,
  type Transition,
} from './circuit-breaker/index.js';
import type { Clock, Random } from './clock.js';
import type { PolicyEvents } from './events.js';
import { countedAs, failureOf, isShed } from './failure.js';
import type { FaultInjector } from './faults.js';
import { LatencyEstimate } from './latency.js';
import { attemptSeconds, callSeconds, callTally, eventTally, shed } from './metrics.js';
import { OpenStream } from './open-stream.js';
import { type EffectiveOptions, parseOptions, type PolicyOptions } from './options.js';
import { AttemptTimeout, type Classify, outcomeOf } from './outcome.js';
import { Attempt, type Pipeline, type Work } from './pipeline/index.js';
import type { Outcome, Policy, PolicyDescription, PolicyOverride, PolicyState } from './policy-types.js';
import { StandingOverride } from './standing-override.js';
import { Strategies } from './strategies.js';

export interface PolicyHooks {
  /** Knows an adapter's own errors; undefined for what the table of ours shall decide. */
  classify?: Classify;
  /** Asks the dependency something cheap, past this policy; while the circuit is open it is asked whether it is back. */
  probe?(signal: AbortSignal): Promise<unknown>;
}

export interface PolicyDependencies {
  clock: Clock;
  random: Random;
  events: PolicyEvents;
  faults?: FaultInjector;
  /** In metrics, when that is not the name: many policies that are alike have one together. */
  label?: string;
  /** Whether the process has time for what does not have to be done. */
  hasTime: () => boolean;
}

const LISTED_TRANSITIONS = 10;
const BUDGET_EVENT_EVERY_MS = 1_000;

/** See `Policy`. */
export class DependencyPolicy implements Policy {
  private readonly clock: Clock;
  private readonly label: string;
  private readonly breaker: CircuitBreaker;
  private readonly latency = new LatencyEstimate();
  private readonly strategies: Strategies;
  private readonly classify?: Classify;
  private pipeline: Pipeline;
  private slowStart?: SlowStart;
  private readonly probe?: RecoveryProbe;
  private readonly overrides: StandingOverride;
  private since = new Date();
  private budgetEventAt = -Infinity;

  /** @param options checked already */
  constructor(
    readonly name: string,
    private options: EffectiveOptions,
    private readonly deps: PolicyDependencies,
    hooks: PolicyHooks = {},
  ) {
    const { clock, random } = deps;
    this.clock = clock;
    this.label = deps.label ?? name;
    this.classify = hooks.classify;
    this.breaker = new CircuitBreaker(options.breaker, {
      clock,
      random,
      onTransition: (transition) => this.onTransition(transition),
    });
    this.overrides = new StandingOverride(this.breaker, clock, (type, change) => this.publish(type, change));
    this.strategies = new Strategies({
      ...deps,
      name,
      breaker: this.breaker,
      latency: this.latency,
      outcomeOf: (error, attempt) => this.outcomeOf(error, attempt),
      observe: (attempt, elapsedMs, error) => this.observe(attempt, elapsedMs, error),
      count: (event) => eventTally.add(this.label, event),
      onBudgetExhausted: () => this.onBudgetExhausted(),
    });
    this.pipeline = this.apply(options);
    this.probe = hooks.probe && this.recoveryProbe(hooks.probe);
  }

  get state(): PolicyState {
    return this.breaker.state;
  }

  get effectiveOptions(): EffectiveOptions {
    return this.options;
  }

  get isInUse(): boolean {
    return (this.strategies.bulkhead?.inUse ?? 0) > 0;
  }

  execute<T>(call: (signal: AbortSignal) => Promise<T>, options: CallOptions = {}): Promise<T> {
    return this.breaker.isRefusing && !options.signal?.aborted ? this.refuse() : this.run(call, options);
  }

  private async run<T>(call: (signal: AbortSignal) => Promise<T>, options: CallOptions): Promise<T> {
    const startedAt = this.clock.now();
    try {
      options.signal?.throwIfAborted();
      const result = (await this.pipeline.execute(this.attempt(call, options, false))) as T;
      this.count('success', startedAt);
      return result;
    } catch (error) {
      throw this.fail(error, options.signal, startedAt);
    }
  }

  async *stream<T>(
    open: (signal: AbortSignal) => AsyncIterable<T>,
    options: CallOptions = {},
  ): AsyncGenerator<T> {
    const startedAt = this.clock.now();
    let ended = false;
    try {
      options.signal?.throwIfAborted();
      const work = OpenStream.opening(this.withFaults(open, options.operation));
      const stream = (await this.pipeline.execute(this.attempt(work, options, true))) as OpenStream<T>;
      yield* stream.read((error, attempt) => this.outcomeOf(error, attempt));
      ended = true;
      this.count('success', startedAt);
    } catch (error) {
      ended = true;
      throw this.fail(error, options.signal, startedAt);
    } finally {
      if (!ended) this.count('cancelled', startedAt);
    }
  }

  update(options: PolicyOptions): void {
    this.pipeline = this.apply(parseOptions(this.name, options));
  }

  override(override: PolicyOverride | null): void {
    this.overrides.set(override);
  }

  close(): void {
    this.breaker.close();
  }

  reset(): void {
    this.breaker.reset();
    this.strategies.retry?.budget.reset();
    this.strategies.throttle?.reset();
  }

  /** Stops what runs by itself. Calls still work. */
  dispose(): void {
    this.probe?.stop();
    this.slowStart?.stop();
    this.overrides.dispose();
  }

  describe(): PolicyDescription {
    const { breaker, clock, strategies } = this;
    const { current: standing } = this.overrides;
    const { calls, failures, slow } = breaker.counts();
    const { bulkhead, retry } = strategies;
    return {
      name: this.name,
      state: this.state,
      since: this.since.toISOString(),
      ...(breaker.retryAfterMs > 0 && { retryAfterMs: Math.ceil(breaker.retryAfterMs) }),
      ...(standing && { override: { ...standing, expiresAt: standing.expiresAt.toISOString() } }),
      options: this.options,
      pipeline: this.pipeline.describe(),
      window: {
        calls,
        failures,
        slow,
        failureRatio: calls > 0 ? failures / calls : 0,
        slowRatio: calls > 0 ? slow / calls : 0,
      },
      ...(bulkhead && {
        permits: { inUse: bulkhead.inUse, limit: bulkhead.limit, queued: bulkhead.queued },
      }),
      ...(retry && { retryBudgetLeft: retry.budget.remaining(clock.now()) }),
      latency: { p50Ms: this.latency.quantile(0.5), p95Ms: this.latency.quantile(0.95) },
      lastTransitions: this.deps.events.transitions(this.name, LISTED_TRANSITIONS),
    };
  }

  private apply(options: EffectiveOptions): Pipeline {
    this.options = options;
    const bulkheadBefore = this.strategies.bulkhead;
    const pipeline = this.strategies.apply(options);
    const { bulkhead } = this.strategies;
    if (bulkhead !== bulkheadBefore) {
      this.slowStart?.stop();
      this.slowStart = bulkhead && new SlowStart(bulkhead, this.clock);
    }
    return pipeline;
  }

  /**
   * The refusal that the pipeline would come to, without going through it. Rejected a moment later: a promise that is
   * rejected before anybody listens costs several times as much.
   */
  private refuse(): Promise<never> {
    eventTally.add(this.label, 'rejected');
    callTally.add(this.label, 'rejected');
    const error = circuitRefusal(this.name, this.breaker);
    return new Promise((_, reject) => queueMicrotask(() => reject(error)));
  }

  private recoveryProbe(ask: (signal: AbortSignal) => Promise<unknown>): RecoveryProbe {
    return new RecoveryProbe(this.breaker, ask, {
      clock: this.clock,
      random: this.deps.random,
      onChange: (answers) => this.publish(answers ? 'probe-answered' : 'probe-unanswered'),
    });
  }

  private attempt(work: Work, options: CallOptions, isStream: boolean): Attempt {
    const { backgroundMaxWaitMs } = this.options.bulkhead ?? {};
    const attempt = new Attempt(callOf(work, options, isStream, backgroundMaxWaitMs), options.signal);
    if (options.timeoutMs !== undefined) attempt.timeoutMs = options.timeoutMs;
    return attempt;
  }

  private withFaults<T>(open: (signal: AbortSignal) => AsyncIterable<T>, operation?: string) {
    const { faults } = this.deps;
    if (!faults) return open;
    return (signal: AbortSignal) => faults.stream({ dependency: this.name, operation }, open, signal);
  }

  private outcomeOf(error: unknown, { signal, startedAt }: Attempt): Outcome {
    const elapsedMs = startedAt === undefined ? 0 : this.clock.now() - startedAt;
    return outcomeOf(error, { signal, elapsedMs }, this.classify, this.options.breaker?.slowCallMs);
  }

  private observe(attempt: Attempt, elapsedMs: number, error: unknown): void {
    const outcome = error === undefined ? 'success' : this.outcomeOf(error, attempt);
    if (outcome === 'success') this.latency.record(elapsedMs);
    attemptSeconds.observe({ policy: this.label, outcome }, elapsedMs / 1_000);
    if (error instanceof AttemptTimeout) eventTally.add(this.label, 'attempt-timeout');
  }

  private count(outcome: string, startedAt: number): void {
    callTally.add(this.label, outcome);
    callSeconds.observe({ policy: this.label }, (this.clock.now() - startedAt) / 1_000);
  }

  /** What the caller gets to see of an error, counted. */
  private fail(error: unknown, signal: AbortSignal | undefined, startedAt: number): unknown {
    if (signal?.aborted) {
      this.count('cancelled', startedAt);
      return signal.reason;
    }
    const failure = failureOf(error, this.name, this.breaker.retryAfterMs, this.classify);
    this.count(countedAs(failure, error), startedAt);
    if (isShed(failure))
      shed.inc({ class: currentContext()?.priority ?? 'sheddable-plus', reason: failure.reason });
    return failure;
  }

  private onTransition({ type, from, to, detail }: Transition): void {
    // Imposed and lifted overrides publish what they are, with who and why.
    if (type !== 'overridden') this.publish(type, { from, to, detail });
    if (from === to) return;
    this.since = new Date();
    if (to === 'open') this.probe?.start();
    else this.probe?.stop();
    if (to !== 'closed') return this.slowStart?.stop();
    this.strategies.throttle?.reset();
    if (from !== 'disabled' && from !== 'metrics-only')
      this.slowStart?.start(this.options.breaker?.slowStartMs ?? 0);
  }

  private onBudgetExhausted(): void {
    const now = this.clock.now();
    eventTally.add(this.label, 'retry-budget-exhausted');
    if (now - this.budgetEventAt < BUDGET_EVENT_EVERY_MS) return;
    this.budgetEventAt = now;
    this.deps.events.publish({ policy: this.name, type: 'retry-budget-exhausted' });
  }

  private publish(
    type: string,
    change: Pick<Transition, 'detail'> & { from?: string; to?: string } = {},
  ): void {
    eventTally.add(this.label, type);
    this.deps.events.publish({ policy: this.name, type, ...change });
  }
}
