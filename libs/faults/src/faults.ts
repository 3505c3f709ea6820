import { Logger } from '@nestjs/common';
import { uuidv7 } from '#libs/database';
import { FatalFailure, Overloaded, TransientFailure } from '#libs/errors';
import { counter, currentContext } from '#libs/observability';
import { type Clock, type FaultInjector, systemClock } from '#libs/resilience';
import { AnswerBudget } from './answer-budget.js';
import { corrupt } from './corrupt.js';
import { type FaultRule, isCorrupting, matches, type NewFaultRule, seededRandom } from './fault-rule.js';
import { appliedTo, tagOf } from './fault-context.js';

const injected = counter({
  name: 'navigator_faults_injected_total',
  help: 'Calls of a dependency that a fault was injected into on purpose',
  labelNames: ['dependency', 'kind'],
});

type Target = Parameters<FaultInjector['apply']>[0];

export interface AutoStop {
  /** ISO 8601. */
  at: string;
  /** Their ids. */
  rules: string[];
}

/** Of an answer that was made wrong; the right one tells what was expected. */
type Check = (corrupted: unknown, expected: unknown) => void;

interface Active {
  rule: FaultRule;
  random: () => number;
  endTimer: () => void;
}

/**
 * Faults on purpose, innermost in every policy, so that what is tested is the policy. They live in this process only,
 * end by themselves at the latest after 15 minutes, and all at once when more than half of the answers of the last
 * minute failed.
 */
export class Faults implements FaultInjector {
  private readonly logger = new Logger(Faults.name);
  private readonly active = new Map<string, Active>();
  private readonly checks = new Map<string, Check>();
  private budget = new AnswerBudget();
  private stopped?: AutoStop;
  private readonly listeners = new Set<(stop: AutoStop) => void>();

  /** @param enabled fixed at start: without it no rule is taken, and the policies are built without an injector */
  constructor(
    readonly enabled: boolean,
    private readonly clock: Clock = systemClock,
  ) {}

  /**
   * What an adapter checks stands inside the call, where a wrong answer of ours comes too late for it. So it gives its
   * check here: it throws what the adapter would.
   */
  checkWith(dependency: string, check: Check): void {
    this.checks.set(dependency, check);
  }

  /** The last time that the rules were ended because too many answers failed. */
  get autoStopped(): AutoStop | undefined {
    return this.stopped;
  }

  /** @returns ends the subscription */
  onAutoStop(listener: (stop: AutoStop) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** In the order in which they were set, which is the order in which they act. */
  list(): FaultRule[] {
    return [...this.active.values()].map(({ rule }) => rule);
  }

  add(fresh: NewFaultRule): FaultRule {
    if (!this.enabled) throw new Error('Faults were not enabled at start');
    const nowMs = Date.now();
    const rule: FaultRule = {
      ...fresh,
      id: uuidv7(),
      createdAt: new Date(nowMs).toISOString(),
      expiresAt: new Date(nowMs + fresh.ttlSeconds * 1_000).toISOString(),
      hits: 0,
    };
    const endTimer = this.clock.after(fresh.ttlSeconds * 1_000, () => this.remove(rule.id));
    this.active.set(rule.id, { rule, random: seededRandom(fresh.seed), endTimer });
    this.logger.warn({ fault: rule.id, dependency: rule.dependency, kind: rule.kind }, 'a fault is injected');
    return rule;
  }

  /** @returns whether it was there */
  remove(id: string): boolean {
    this.active.get(id)?.endTimer();
    const removed = this.active.delete(id);
    if (removed) this.logger.log({ fault: id }, 'a fault has ended');
    return removed;
  }

  clear(): void {
    for (const id of [...this.active.keys()]) this.remove(id);
  }

  /** Tells how a request ended; the rules end when too many fail. */
  answered(failed: boolean): void {
    const now = this.clock.now();
    this.budget.observe(now, failed);
    if (!failed || this.active.size === 0 || !this.budget.spent(now)) return;
    this.stopped = { at: new Date().toISOString(), rules: [...this.active.keys()] };
    this.logger.error(this.stopped, 'more than half of the answers failed: all faults are ended');
    this.clear();
    for (const listener of this.listeners) listener(this.stopped);
    // Those answers have had their effect; the next experiment is judged by its own.
    this.budget = new AnswerBudget();
  }

  async apply<T>(target: Target, call: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
    const hits = this.hit(target);
    for (const hit of hits) await this.before(hit, signal);
    const value = await call(signal);
    const corrupted = hits.reduce<unknown>((result, hit) => corruptedBy(hit, result), value) as T;
    if (corrupted !== value) this.checks.get(target.dependency)?.(corrupted, value);
    return corrupted;
  }

  async *stream<T>(
    target: Target,
    open: (signal: AbortSignal) => AsyncIterable<T>,
    signal: AbortSignal,
  ): AsyncGenerator<T> {
    const hits = this.hit(target);
    const later = hits.filter(({ rule }) => (rule.afterItems ?? 0) > 0);
    for (const hit of hits) if (!later.includes(hit)) await this.before(hit, signal);
    let items = 0;
    for await (const item of open(signal)) {
      for (const hit of later) if (hit.rule.afterItems === items) await this.before(hit, signal);
      // Adapters tell an end from a cut, so that nobody takes half an answer for a whole one.
      if (hits.some(({ rule }) => rule.kind === 'truncation' && (rule.afterItems ?? 1) <= items))
        throw new TransientFailure('an injected end before the end');
      items += 1;
      yield hits.reduce<unknown>(
        (result, hit) => (hit.rule.kind === 'truncation' ? result : corruptedBy(hit, result)),
        item,
      ) as T;
    }
  }

  /** The rules that hit this call. Each rolls its own dice, so that one does not change which calls another hits. */
  private hit({ dependency, operation }: Target): Active[] {
    if (this.active.size === 0) return [];
    const subject = { dependency, operation, tenantId: currentContext()?.tenantId, tag: tagOf() };
    const hits = [...this.active.values()].filter(
      ({ rule, random }) => matches(rule, subject) && random() < rule.rate,
    );
    for (const { rule } of hits) {
      rule.hits += 1;
      injected.inc({ dependency, kind: rule.kind });
      appliedTo(rule.id);
    }
    return hits;
  }

  private async before({ rule, random }: Active, signal: AbortSignal): Promise<void> {
    if (rule.kind === 'latency')
      await this.wait((rule.latencyMs ?? 0) + random() * (rule.jitterMs ?? 0), signal);
    if (rule.kind === 'hang') await this.wait(Infinity, signal);
    if (rule.kind === 'error') throw failureOf(rule);
  }

  private wait(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const leave = () => {
        endTimer?.();
        reject(signal.reason as Error);
      };
      const endTimer = Number.isFinite(ms)
        ? this.clock.after(ms, () => {
            signal.removeEventListener('abort', leave);
            resolve();
          })
        : undefined;
      signal.addEventListener('abort', leave, { once: true });
    });
  }
}

function corruptedBy({ rule, random }: Active, value: unknown): unknown {
  return isCorrupting(rule.kind) ? corrupt(value, rule.kind, random) : value;
}

function failureOf({ error = 'transient', retryAfterMs }: FaultRule): TransientFailure {
  const message = `an injected ${error} failure`;
  if (error === 'fatal') return new FatalFailure(message);
  return error === 'overload'
    ? new Overloaded(message, { retryAfterMs })
    : new TransientFailure(message, { retryAfterMs });
}
