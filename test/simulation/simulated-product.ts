import {
  CachedFallback,
  DegradationManager,
  DegradationRegistry,
  deadlineSignal,
  type Fallback,
  FunctionFallback,
  type Policy,
  PolicyRegistry,
  type PolicyOptions,
  type Priority,
  type ServiceLevel,
  SingleFlight,
  StaticFallback,
  StreamFallback,
  worstLevel,
} from '#libs/resilience';
import type { VirtualClock } from '../support/virtual-clock.js';
import type { SeededRandom } from './seeded-random.js';
import { type DependencySpeed, SimulatedDependency } from './simulated-dependency.js';

export interface Question {
  id: number;
  tenantId: string;
  text: string;
  priority: Priority;
  /** Known once it was searched for. */
  foundBy?: 'hybrid' | 'lexical';
}

/** An answer that knows how it really came about, whatever is said of it. */
export interface Reply {
  tenantId: string;
  text: string;
  writtenBy: string;
  foundBy?: 'hybrid' | 'lexical';
  isStale: boolean;
}

export const MODELS_MS = 5_000;
const FRESH_MS = 5_000;
export const BUDGET_PER_SECOND = 0.1;

const retry = { retries: 2, baseMs: 20, maxMs: 500, budgetRatio: 0.1, budgetPerSecond: BUDGET_PER_SECOND };
const breaker = { openMs: 2_000, maxOpenMs: 8_000, slowStartMs: 3_000, probeTimeoutMs: 2_000 };
const bulkhead = { concurrency: 8, queue: 32, maxWaitMs: 250 };

const MODEL: PolicyOptions = {
  attemptTimeoutMs: 2_000,
  breaker: { ...breaker, minimumCalls: 5, slowCallMs: 1_500 },
  bulkhead: { ...bulkhead, adaptive: { min: 2 } },
};
export const POLICIES = {
  postgres: {
    attemptTimeoutMs: 1_000,
    retry,
    breaker: { ...breaker, slowCallMs: 800 },
    bulkhead: { ...bulkhead, reserved: 2 },
  },
  cache: { attemptTimeoutMs: 50, breaker: { ...breaker, openMs: 1_000, maxOpenMs: 4_000 } },
  embedder: {
    attemptTimeoutMs: 500,
    retry,
    hedge: { floorMs: 50 },
    breaker: { ...breaker, slowCallMs: 400 },
    bulkhead,
  },
  'model:first': MODEL,
  'model:second': { ...MODEL, throttle: { windowMs: 10_000 } },
} satisfies Record<string, PolicyOptions>;
export type DependencyName = keyof typeof POLICIES;

const SPEEDS: Record<DependencyName, DependencySpeed> = {
  postgres: { healthyMs: [1, 10], slowMs: [500, 1_500], bears: 2 },
  cache: { healthyMs: [0.2, 2], slowMs: [30, 80], bears: 1 },
  embedder: { healthyMs: [5, 40], slowMs: [200, 700], bears: 2 },
  'model:first': { healthyMs: [100, 400], slowMs: [1_000, 3_000], bears: 2 },
  'model:second': { healthyMs: [100, 600], slowMs: [1_000, 3_000], bears: 2 },
};

/** The answer ladder over real policies, bulkheads and managers, with dependencies that are not real. */
export class SimulatedProduct {
  readonly policies: PolicyRegistry;
  readonly levels: DegradationRegistry;
  readonly dependencies: Record<DependencyName, SimulatedDependency>;
  private readonly answers: DegradationManager<Question, Reply, string>;
  private readonly search: DegradationManager<Question, 'hybrid' | 'lexical'>;
  private readonly searches = new SingleFlight<'hybrid' | 'lexical'>();
  private operations = 0;
  private readonly kept = new Map<string, { reply: Reply; at: number }>();

  constructor(
    private readonly clock: VirtualClock,
    random: SeededRandom,
  ) {
    this.policies = new PolicyRegistry({ clock, random: random.next });
    this.levels = new DegradationRegistry(clock);
    const dependency = (name: DependencyName) => new SimulatedDependency(name, SPEEDS[name], clock, random);
    this.dependencies = {
      postgres: dependency('postgres'),
      cache: dependency('cache'),
      embedder: dependency('embedder'),
      'model:first': dependency('model:first'),
      'model:second': dependency('model:second'),
    };
    for (const [name, options] of Object.entries(POLICIES)) {
      // One of them is asked besides whether it is back, so that its early return is played too.
      const probe = (signal: AbortSignal) =>
        this.dependencies.postgres.ask(++this.operations, signal, () => true);
      this.policies.define(name, options, name === 'postgres' ? { probe } : {});
    }

    const isOpen = (name: DependencyName) => this.policies.policy(name).state === 'open';
    this.search = this.levels.define(
      new DegradationManager<Question, 'hybrid' | 'lexical'>('retrieve.semantic', {
        clock,
        steps: this.waysToSearch(),
        condition: () => ({
          level: isOpen('postgres') ? 'unavailable' : isOpen('embedder') ? 'degraded' : 'full',
          reason: isOpen('postgres') ? 'postgres: circuit-open' : 'embedder: circuit-open',
        }),
      }),
    );
    this.answers = this.levels.define(
      new DegradationManager<Question, Reply, string>('answer.generate', { clock, steps: this.ladder() }),
    );
    this.levels.start();
  }

  answer(question: Question, signal: AbortSignal, atLeast?: ServiceLevel) {
    return this.answers.serve(question, signal, { atLeast });
  }

  stream(question: Question, signal: AbortSignal, atLeast?: ServiceLevel) {
    const interrupted = (step: string, cause: unknown) => new Interrupted(step, { cause });
    return this.answers.serveStream(question, signal, { atLeast, interrupted });
  }

  close(): void {
    this.policies.close();
    this.levels.close();
  }

  private ladder(): Fallback<Question, Reply, string>[] {
    const found = ({ foundBy }: Question): ServiceLevel => (foundBy === 'lexical' ? 'degraded' : 'full');
    const writes = (model: 'model:first' | 'model:second', level: ServiceLevel) =>
      new StreamFallback<Question, Reply, string>(
        model,
        (question) => worstLevel(found(question), level),
        (question, signal) => this.write(model, question, signal),
      );
    return [
      new CachedFallback('fresh', 'full', (question, signal) => this.findKept(question, signal, FRESH_MS)),
      writes('model:first', 'full'),
      writes('model:second', 'degraded'),
      new CachedFallback('stale', 'degraded', (question, signal) =>
        this.findKept(question, signal, Infinity),
      ),
      new FunctionFallback('extractive', 'minimal', async (question, signal) => {
        await this.find(question, signal);
        return replyTo(question, 'extractive');
      }),
      new StaticFallback('guidance', 'unavailable', (question: Question) => replyTo(question, 'guidance')),
    ];
  }

  private waysToSearch(): Fallback<Question, 'hybrid' | 'lexical'>[] {
    const lexical = (question: Question, signal: AbortSignal) =>
      this.ask('postgres', question, signal, () => 'lexical' as const);
    return [
      new FunctionFallback('hybrid', 'full', async (question: Question, signal) => {
        await this.ask('embedder', question, signal, () => undefined);
        await lexical(question, signal);
        return 'hybrid' as const;
      }),
      new FunctionFallback('lexical', 'degraded', lexical),
    ];
  }

  private async find(question: Question, signal: AbortSignal): Promise<void> {
    if (question.foundBy) return;
    const search = async (shared: AbortSignal) => (await this.search.serve(question, shared)).value;
    question.foundBy = await this.searches.run(keyOf(question), search, signal);
  }

  private async *write(
    model: 'model:first' | 'model:second',
    question: Question,
    signal: AbortSignal,
  ): AsyncGenerator<string, Reply> {
    await this.find(question, signal);
    const time = deadlineSignal(MODELS_MS, { parent: signal, clock: this.clock });
    try {
      const { tenantId, priority } = question;
      const operation = ++this.operations;
      const open = (attempt: AbortSignal) => this.dependencies[model].stream(operation, attempt);
      yield* this.policies.policy(model).stream(open, { signal: time.signal, tenantId, priority });
    } finally {
      time.clear();
    }
    const reply = replyTo(question, model);
    if (model === 'model:first' && question.foundBy === 'hybrid') await this.keep(question, reply, signal);
    return reply;
  }

  private keep(question: Question, reply: Reply, signal: AbortSignal): Promise<unknown> {
    const keep = () => this.kept.set(keyOf(question), { reply, at: this.clock.now() });
    return this.ask('cache', question, signal, keep).catch(() => undefined);
  }

  private async findKept(question: Question, signal: AbortSignal, maxAgeMs: number) {
    const entry = await this.ask('cache', question, signal, () => this.kept.get(keyOf(question)));
    if (!entry || this.clock.now() - entry.at > maxAgeMs) return undefined;
    return { ...entry.reply, isStale: this.clock.now() - entry.at > FRESH_MS };
  }

  private ask<T>(name: DependencyName, question: Question, signal: AbortSignal, answer: () => T): Promise<T> {
    const { tenantId, priority } = question;
    const operation = ++this.operations;
    const policy: Policy = this.policies.policy(name);
    const call = (attempt: AbortSignal) => this.dependencies[name].ask(operation, attempt, answer);
    return policy.execute(call, { signal, tenantId, priority, idempotent: true });
  }
}

export class Interrupted extends Error {}

/** How good a reply really is. */
export function levelOf({ writtenBy, foundBy, isStale }: Reply): ServiceLevel {
  if (writtenBy === 'guidance') return 'unavailable';
  if (writtenBy === 'extractive') return 'minimal';
  return writtenBy === 'model:first' && foundBy === 'hybrid' && !isStale ? 'full' : 'degraded';
}

const keyOf = ({ tenantId, text }: Question) => `${tenantId} ${text}`;

function replyTo({ tenantId, text, foundBy }: Question, writtenBy: string): Reply {
  return { tenantId, text, writtenBy, foundBy, isStale: false };
}
