import { DeadlineExceeded, DependencyTimeout, DependencyUnavailable } from '#libs/errors';
import {
  deadlineSignal,
  isWorse,
  PRIORITIES,
  type Served,
  type ServiceLevel,
  ServiceLevelNotMet,
} from '#libs/resilience';
import { VirtualClock } from '../support/virtual-clock.js';
import { SeededRandom } from './seeded-random.js';
import {
  BUDGET_PER_SECOND,
  type DependencyName,
  Interrupted,
  levelOf,
  POLICIES,
  type Question,
  type Reply,
  SimulatedProduct,
} from './simulated-product.js';
import { TROUBLES } from './simulated-dependency.js';

const TROUBLE_MS = 20_000;
/** Everything is well again, and within this all must be full: the longest open time, probes, and ten stable seconds. */
const RECOVERY_MS = 30_000;
const STAYS_FULL_MS = 10_000;
const REQUEST_MS = 8_000;
const TENANTS = ['a', 'b', 'c', 'd'];

interface Outcome {
  question: Question;
  atLeast?: ServiceLevel;
  hasLeft: boolean;
  limitMs: number;
  ms: number;
  items: string[];
  served?: Served<Reply>;
  error?: unknown;
}

/**
 * One history of the product: twenty seconds in which its dependencies fail in turns and together, chosen by the seed,
 * then all of them are well. The same seed gives the same history.
 */
export class Simulation {
  readonly problems: string[] = [];
  readonly outcomes: Outcome[] = [];
  private readonly clock = new VirtualClock();
  private readonly random: SeededRandom;
  private readonly product: SimulatedProduct;
  private stopAsking = () => {};
  private asked = 0;
  private underWay = 0;

  constructor(readonly seed: number) {
    this.random = new SeededRandom(seed);
    this.product = new SimulatedProduct(this.clock, this.random);
  }

  async run(): Promise<void> {
    this.planTroubles();
    this.keepAsking(() =>
      this.clock.now() < TROUBLE_MS ? this.random.between(0, 240) : this.random.between(100, 600),
    );
    await this.clock.advance(TROUBLE_MS + RECOVERY_MS);
    this.checkIsFull('30 s after the last trouble');
    await this.clock.advance(STAYS_FULL_MS);
    this.checkIsFull('in the end');
    this.stopAsking();
    for (let ms = 0; this.underWay > 0 && ms <= REQUEST_MS; ms += 50) await this.clock.advance(50);
    this.checkNothingIsLeft();
    this.checkRetries();
    for (const outcome of this.outcomes) this.checkOutcome(outcome);
  }

  /** What happened, for a test that wants to know that enough did. */
  get happened(): string[] {
    const answers = this.outcomes.map(
      ({ served, error }) => served?.servedBy ?? (error as Error).constructor.name,
    );
    return [...answers, ...this.product.policies.events.list(undefined, 0, Infinity).map(({ type }) => type)];
  }

  private planTroubles(): void {
    const { random, clock } = this;
    for (const dependency of Object.values(this.product.dependencies)) {
      if (random.chance(0.3)) continue;
      for (let at = random.between(0, 8_000); at < TROUBLE_MS; at += random.between(0, 6_000)) {
        const condition = random.pick(TROUBLES);
        clock.after(at, () => dependency.set(condition));
        at += random.between(50, 8_000);
        clock.after(Math.min(at, TROUBLE_MS), () => dependency.set('healthy'));
      }
    }
  }

  private keepAsking(waitMs: () => number): void {
    this.stopAsking = this.clock.after(waitMs(), () => {
      this.underWay++;
      void this.ask().finally(() => this.underWay--);
      this.keepAsking(waitMs);
    });
  }

  private async ask(): Promise<void> {
    const { clock, random } = this;
    const question: Question = {
      id: ++this.asked,
      // One of them asks as much as all others together.
      tenantId: random.chance(0.5) ? 'a' : random.pick(TENANTS),
      text: `question ${Math.floor(random.between(0, 30))}`,
      priority: random.pick(PRIORITIES),
    };
    const atLeast = random.chance(0.1) ? random.pick(['full', 'degraded', 'minimal'] as const) : undefined;
    const client = new AbortController();
    const stopLeaving = random.chance(0.1)
      ? clock.after(random.between(0, 3_000), () => client.abort(new Error('left')))
      : () => undefined;
    const limitMs = random.chance(0.1) ? random.between(0, 1_000) : REQUEST_MS;
    const { signal, clear } = deadlineSignal(limitMs, { parent: client.signal, clock });
    const startedAt = clock.now();
    const items: string[] = [];
    const outcome: Partial<Outcome> = { question, atLeast, items, limitMs };
    try {
      outcome.served = random.chance(0.5)
        ? await this.product.answer(question, signal, atLeast)
        : await read(this.product.stream(question, signal, atLeast), items);
    } catch (error) {
      outcome.error = error;
    }
    stopLeaving();
    clear();
    this.outcomes.push({
      ...outcome,
      ms: clock.now() - startedAt,
      hasLeft: client.signal.aborted,
    } as Outcome);
  }

  private checkIsFull(when: string): void {
    for (const { capability, level, reasons } of this.product.levels.list())
      this.expect(level === 'full', `${capability} is ${level} ${when}: ${reasons.join(', ')}`);
    for (const policy of this.product.policies.list()) {
      // Nobody asks the second model while the first one answers, so its circuit may wait for its next call.
      const mayWait = policy.name === 'model:second';
      this.expect(mayWait || policy.state === 'closed', `${policy.name} is ${policy.state} ${when}`);
    }
  }

  private checkNothingIsLeft(): void {
    this.expect(this.underWay === 0, `${this.underWay} requests never ended`);
    for (const policy of this.product.policies.list()) {
      const { inUse = 0, queued = 0 } = policy.describe().permits ?? {};
      this.expect(inUse === 0 && queued === 0, `${policy.name} holds ${inUse} permits, ${queued} wait`);
    }
    for (const { name, inFlight, peak } of Object.values(this.product.dependencies)) {
      this.expect(inFlight === 0, `${inFlight} calls of ${name} were never ended`);
      const options = POLICIES[name as DependencyName];
      const limit = ('bulkhead' in options && options.bulkhead?.concurrency) || Infinity;
      // The question whether it is back goes past its policy.
      const probes = name === 'postgres' ? 1 : 0;
      this.expect(peak <= limit + probes, `${name} was asked ${peak} times at once`);
    }
    this.product.close();
    this.expect(this.clock.pending === 0, `${this.clock.pending} timers are left`);
  }

  private checkRetries(): void {
    const seconds = this.clock.now() / 1_000;
    for (const { name, calls, asked } of Object.values(this.product.dependencies)) {
      const hedged = name === 'embedder' ? 0.05 * asked + 6 : 0;
      const budget = 0.1 * asked + TENANTS.length * (BUDGET_PER_SECOND * seconds + 1);
      const allowed = asked + budget + hedged;
      this.expect(calls <= allowed, `${name} was called ${calls} times for ${asked} calls that were wanted`);
    }
  }

  private checkOutcome({ question, atLeast, hasLeft, limitMs, ms, items, served, error }: Outcome): void {
    const fail = (problem: string) => this.expect(false, `question ${question.id} ${problem}`);
    if (ms > limitMs + 1) fail(`took ${ms} ms`);
    if (new Set(items).size > 1) fail(`was answered by several at once: ${items.join(', ')}`);
    if (served) {
      const { value, level, servedBy } = served;
      const really = levelOf(value);
      // What the step for stale answers found may have been renewed by another request a moment before.
      const isHonest = level === really || (servedBy === 'stale' && !isWorse(really, level));
      if (!isHonest) fail(`was said to be ${level} and is ${really}: ${JSON.stringify(value)}`);
      if (atLeast && isWorse(level, atLeast)) fail(`is ${level} and not ${atLeast}`);
      if (value.tenantId !== question.tenantId || value.text !== question.text)
        fail('got the answer to another one');
      if (level === 'unavailable' && this.isWell('postgres'))
        fail('got no answer although the database was well');
      return;
    }
    if (error instanceof ServiceLevelNotMet) {
      if (!atLeast) fail('was refused for a level it did not ask for');
    } else if (error instanceof Interrupted) {
      if (items.length === 0) fail('was interrupted before it began');
    } else if (error instanceof DeadlineExceeded) {
      if (ms < limitMs) fail(`ran out of time after ${ms} ms`);
    } else if (hasLeft) {
      if ((error as Error).message !== 'left') fail(`was left and failed with ${String(error)}`);
    } else if (error instanceof DependencyUnavailable || error instanceof DependencyTimeout) {
      fail(`failed although there is always a last step: ${String(error)}`);
    } else fail(`met a bug: ${(error as Error)?.stack}`);
  }

  private isWell(name: DependencyName): boolean {
    return !this.product.dependencies[name].wasInTrouble;
  }

  private expect(holds: boolean, problem: string): void {
    if (!holds) this.problems.push(problem);
  }
}

async function read(stream: AsyncGenerator<string, Served<Reply>>, items: string[]): Promise<Served<Reply>> {
  let next = await stream.next();
  for (; !next.done; next = await stream.next()) items.push(next.value);
  return next.value;
}
