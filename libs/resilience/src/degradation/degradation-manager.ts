import { Logger } from '@nestjs/common';
import { DependencyTimeout, DependencyUnavailable, DomainError, TransientFailure } from '#libs/errors';
import { gauge } from '#libs/observability';
import { type Clock, systemClock } from '../clock.js';
import { type Capability, SECURITY_CAPABILITIES } from './capability.js';
import { type Fallback, lastOf, StaticFallback } from './fallback.js';
import { LevelHistory } from './level-history.js';
import { type Degradation, noteDegradation } from './request-degradations.js';
import { isWorse, LEVELS, type ServiceLevel, ServiceLevelNotMet } from './service-level.js';

export interface DegradationOptions<Q, R, I> {
  /** Best first. May also be given for each request. */
  steps?: readonly Fallback<Q, R, I>[];
  /** What is known without a request, such as that a circuit is open. */
  condition?: () => { level: ServiceLevel; reason?: string };
  /** Failures of a step after which the next is taken; others are bugs, or the request's fault, and are thrown. */
  isExpected?: (error: unknown) => boolean;
  /** Told of every step that failed in an expected way. */
  onStepDown?: (step: string, reason: string, error: unknown) => void;
  clock?: Clock;
  /** How long nothing worse must have been seen before the level rises. */
  hysteresisMs?: number;
}

export interface ServeOptions<Q, R, I> {
  /** Rather fail than serve less than this. */
  atLeast?: ServiceLevel;
  steps?: readonly Fallback<Q, R, I>[];
}

export interface StreamOptions<Q, R, I> extends ServeOptions<Q, R, I> {
  /** Whether an item, once given out, rules out every other step. Unless given, each does. */
  commits?: (item: I) => boolean;
  /** What to throw when a step fails after it is committed. Unless given, the step's own error. */
  interrupted?: (step: string, cause: unknown) => unknown;
}

export interface Served<R> {
  value: R;
  /** The step's name. */
  servedBy: string;
  level: ServiceLevel;
  /** Why no better step served; empty when nothing failed. */
  degradations: Degradation[];
}

export interface LevelChange {
  capability: Capability;
  from: ServiceLevel;
  to: ServiceLevel;
  reasons: string[];
}

export interface CurrentLevel {
  level: ServiceLevel;
  /** ISO 8601. */
  since: string;
  /** Worst first. */
  reasons: string[];
}

const HYSTERESIS_MS = 10_000;

const levels = gauge({
  name: 'navigator_service_level',
  help: 'Level of a capability: 0 full, 1 degraded, 2 minimal, 3 unavailable',
  labelNames: ['capability'],
});
const logger = new Logger('DegradationManager');

/**
 * Serves one capability at the best level that can be had, by the first of its steps that can, and knows at which level
 * it has been of late: the worst of what was served and of its condition. It falls at once and rises when it was stable.
 */
export class DegradationManager<Q = void, R = void, I = never> {
  private readonly history: LevelHistory;
  private readonly listeners = new Set<(change: LevelChange) => void>();
  private level: ServiceLevel = 'full';
  private since = new Date().toISOString();

  constructor(
    readonly capability: Capability,
    private readonly options: DegradationOptions<Q, R, I> = {},
  ) {
    this.history = new LevelHistory(options.clock ?? systemClock, options.hysteresisMs ?? HYSTERESIS_MS);
    this.refuseToAllow(options.steps);
    levels.set({ capability }, 0);
  }

  /**
   * By the first step that can.
   *
   * @throws ServiceLevelNotMet when only steps below `atLeast` are left; else the last step's error; the signal's reason
   */
  serve(request: Q, signal: AbortSignal, options: ServeOptions<Q, R, I> = {}): Promise<Served<R>> {
    return lastOf(this.serveStream(request, signal, { ...options, commits: () => false }));
  }

  /**
   * The same, giving out what the steps give out. Once an item is out that commits, no other step is taken. A step that
   * serves without any item (a cached value) is simply what is returned.
   *
   * @throws as `serve`; or what `interrupted` makes of the error of a step that was committed
   */
  async *serveStream(
    request: Q,
    signal: AbortSignal,
    options: StreamOptions<Q, R, I> = {},
  ): AsyncGenerator<I, Served<R>> {
    const { atLeast = 'unavailable', steps = this.options.steps ?? [] } = options;
    const { commits = () => true, interrupted = (_step, cause) => cause } = options;
    this.refuseToAllow(steps);
    const walk = new Walk(atLeast);

    for (const step of steps) {
      signal.throwIfAborted();
      if (walk.isTooLow(step.level(request))) continue;
      try {
        const value = yield* attempt(step, request, signal, { walk, commits });
        if (value !== undefined) return this.served(value, step.name, step.level(request), walk.reasons);
      } catch (error) {
        signal.throwIfAborted();
        if (walk.committed) throw interrupted(step.name, error);
        if (!this.isExpected(error)) throw error;
        const reason = walk.failed(error);
        this.options.onStepDown?.(step.name, reason, error);
      }
    }
    signal.throwIfAborted();
    throw this.noneServed(walk);
  }

  /**
   * Notes at which level a request was served; also into the request's own list, if there is a reason.
   *
   * @param fallback what served instead
   */
  observe(level: ServiceLevel, reason?: string, fallback = 'none'): Degradation | undefined {
    const { capability, history } = this;
    history.add(level, reason);
    this.refresh();
    if (level === 'full' || !reason) return undefined;
    const degradation = { capability, level, reason, fallback, since: history.sinceOf(reason) };
    noteDegradation(degradation);
    return degradation;
  }

  current(): CurrentLevel {
    this.refresh();
    return { level: this.level, since: this.since, reasons: this.history.activeReasons };
  }

  /** @returns how to stop being told */
  subscribe(listener: (change: LevelChange) => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  private refresh(): void {
    const condition = this.options.condition?.();
    if (condition) this.history.add(condition.level, condition.reason);
    const from = this.level;
    const to = this.history.level;
    if (from === to) return;

    this.level = to;
    this.since = new Date().toISOString();
    const { capability } = this;
    const change = { capability, from, to, reasons: this.history.activeReasons };
    levels.set({ capability }, LEVELS.indexOf(to));
    if (isWorse(to, from)) logger.warn(change, 'the service level fell');
    else logger.log(change, 'the service level rose');
    for (const listener of this.listeners) listener(change);
  }

  private served(value: R, servedBy: string, level: ServiceLevel, reasons: string[]): Served<R> {
    if (reasons.length === 0) this.observe(level);
    const degradations = reasons.map((reason) => this.observe(level, reason, servedBy));
    return { value, servedBy, level, degradations: degradations.filter((one) => one !== undefined) };
  }

  private noneServed({ error, atLeast, tooLow, reasons }: Walk): unknown {
    for (const reason of reasons) this.observe(tooLow ?? 'unavailable', reason);
    const retryAfterMs = error instanceof DomainError ? error.retryAfterMs : undefined;
    if (tooLow) return new ServiceLevelNotMet(atLeast, tooLow, { retryAfterMs, cause: error });
    return error ?? new DependencyUnavailable(this.capability);
  }

  private isExpected(error: unknown): boolean {
    return (this.options.isExpected ?? isFailureOfDependency)(error);
  }

  private refuseToAllow(steps: readonly Fallback<Q, R, I>[] = []): void {
    if (!SECURITY_CAPABILITIES.has(this.capability)) return;
    const allows = steps.find((step) => step instanceof StaticFallback);
    if (allows) throw new Error(`${this.capability} must not fall back to the fixed answer ${allows.name}`);
  }
}

/** @returns undefined when the step cannot serve, or not at the level that is wanted */
async function* attempt<Q, R, I>(
  step: Fallback<Q, R, I>,
  request: Q,
  signal: AbortSignal,
  { walk, commits }: { walk: Walk; commits: (item: I) => boolean },
): AsyncGenerator<I, R | undefined> {
  const items = step.open(request, signal, walk.reasons.at(-1));
  try {
    let next = await items.next();
    for (; !next.done; next = await items.next()) {
      if (!walk.committed && commits(next.value)) {
        if (walk.isTooLow(step.level(request))) return undefined;
        walk.committed = true;
      }
      yield next.value;
    }
    if (!walk.committed) return walk.isTooLow(step.level(request)) ? undefined : next.value;
    if (next.value === undefined) throw new Error(`${step.name} gave something out and then cannot serve`);
    return next.value;
  } finally {
    // Whether the reader left or the step is too low, it is told to stop.
    await items.return(undefined);
  }
}

/** What was learnt on the way down one ladder. */
class Walk {
  error?: unknown;
  /** An item was given out that rules out every other step. */
  committed = false;
  /** The best level among the steps that would have been too low. */
  tooLow?: ServiceLevel;
  readonly reasons: string[] = [];

  constructor(readonly atLeast: ServiceLevel) {}

  isTooLow(level: ServiceLevel): boolean {
    if (!isWorse(level, this.atLeast)) return false;
    if (!this.tooLow || isWorse(this.tooLow, level)) this.tooLow = level;
    return true;
  }

  failed(error: unknown): string {
    const reason = reasonOf(error);
    this.error = error;
    if (!this.reasons.includes(reason)) this.reasons.push(reason);
    return reason;
  }
}

/** A dependency failed, or there was no time left for it. */
function isFailureOfDependency(error: unknown): boolean {
  if (error instanceof DomainError) return error.kind === 'unavailable' || error.kind === 'timeout';
  return error instanceof TransientFailure;
}

/** Short, for people and for telling failures apart; never an error's message, which may quote a document. */
function reasonOf(error: unknown): string {
  if (error instanceof DependencyUnavailable) return `${error.dependency}: ${error.reason}`;
  if (error instanceof DependencyTimeout) return `${error.dependency}: timeout`;
  if (error instanceof DomainError) return error.code;
  return error instanceof Error ? error.name : 'unknown';
}
