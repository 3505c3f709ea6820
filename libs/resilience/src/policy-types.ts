import type { CallOptions } from './call.js';
import type { PolicyEvent } from './events.js';
import type { EffectiveOptions, PolicyOptions } from './options.js';

export type OverrideMode = 'isolated' | 'disabled' | 'metrics-only';
export type PolicyState = 'closed' | 'open' | 'half-open' | OverrideMode;

/** An operator's will, which stands above what the circuit would do by itself. It ends by itself. */
export interface PolicyOverride {
  /** isolated: no call passes; disabled: all pass and none is counted; metrics-only: counted, but none is rejected. */
  mode: OverrideMode;
  by: string;
  reason: string;
  expiresAt: Date;
}

/**
 * What a call meant for the dependency. `slow` is a success that took too long; `fatal` opens the circuit at once;
 * `overload` lowers limits and counts as no failure; `ignored` says nothing about the dependency.
 */
export type Outcome = 'success' | 'slow' | 'failure' | 'fatal' | 'overload' | 'ignored';

/** One dependency's policy: how long, how many, how often it is asked, and when it is left alone. */
export interface Policy {
  readonly name: string;
  readonly state: PolicyState;
  /**
   * Runs `call` under the policy. The signal that it gets is aborted at the attempt's time limit and when the caller's
   * is; after a success it is left alone.
   *
   * @throws DependencyUnavailable when the call failed for good, or without a call: circuit open, queue full, throttled
   * @throws DependencyTimeout when the last attempt took too long
   * @throws the caller's abort reason (`DeadlineExceeded` at a deadline), and errors that say nothing about the dependency
   */
  execute<T>(call: (signal: AbortSignal) => Promise<T>, options?: CallOptions): Promise<T>;
  /**
   * The same for a stream: its permits are held to its end, the first item has the attempt's time limit, only an end of
   * its own is a success. A failure after the first item is never retried; a reader who leaves is no failure.
   */
  stream<T>(open: (signal: AbortSignal) => AsyncIterable<T>, options?: CallOptions): AsyncGenerator<T>;
  describe(): PolicyDescription;
  /** Live: what is under way goes on, and what was counted is kept. @throws InvalidPolicyOptions */
  update(options: PolicyOptions): void;
  /** An operator's override, `null` to lift it. */
  override(override: PolicyOverride | null): void;
  /** Closes the circuit once, as if its probes had succeeded. */
  close(): void;
  /** Closed, with nothing counted and full budgets. */
  reset(): void;
}

/** Plain JSON, for operators. */
export interface PolicyDescription {
  name: string;
  state: PolicyState;
  /** Of `state`, ISO 8601. */
  since: string;
  /** Until a call may pass again; only while the circuit lets none through. */
  retryAfterMs?: number;
  override?: Omit<PolicyOverride, 'expiresAt'> & { expiresAt: string };
  options: EffectiveOptions;
  /** The strategies in order, outermost first. */
  pipeline: string[];
  window: { calls: number; failures: number; slow: number; failureRatio: number; slowRatio: number };
  permits?: { inUse: number; limit: number; queued: number };
  retryBudgetLeft?: number;
  /** Of the last calls. */
  latency: { p50Ms?: number; p95Ms?: number };
  lastTransitions: PolicyEvent[];
}
