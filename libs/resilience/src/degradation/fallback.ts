import type { ServiceLevel } from './service-level.js';

/**
 * A level, or one that only shows while the step is at work, such as when what it found is less than hoped for. It is
 * asked before the step (so it says the best that is possible) and again when the step has something to give.
 */
export type StepLevel<Q> = ServiceLevel | ((request: Q) => ServiceLevel);

/**
 * One step of a ladder: a way to serve a request, and how good it is.
 *
 * @typeParam Q what is asked
 * @typeParam R what is served
 * @typeParam I what is given out on the way there, by steps that stream
 */
export abstract class Fallback<Q, R, I = never> {
  constructor(
    readonly name: string,
    private readonly stepLevel: StepLevel<Q>,
  ) {}

  level(request: Q): ServiceLevel {
    return typeof this.stepLevel === 'function' ? this.stepLevel(request) : this.stepLevel;
  }

  /**
   * Gives out what there is on the way, and returns the whole.
   *
   * @param reason why the last step above did not serve, if one failed
   * @returns undefined when it cannot serve this request: the next step is taken
   */
  abstract open(request: Q, signal: AbortSignal, reason?: string): AsyncGenerator<I, R | undefined>;
}

/** Another way to do it: another model, another provider, another method. */
export class FunctionFallback<Q, R> extends Fallback<Q, R> {
  constructor(
    name: string,
    level: StepLevel<Q>,
    private readonly serve: (request: Q, signal: AbortSignal) => Promise<R | undefined>,
  ) {
    super(name, level);
  }

  override open(request: Q, signal: AbortSignal): AsyncGenerator<never, R | undefined> {
    return atOnce(() => this.serve(request, signal));
  }
}

/**
 * What was served before to the same reader from the same documents. A miss, and a cache that fails, mean that the next
 * step is taken: neither is a reason why the service is worse.
 */
export class CachedFallback<Q, R> extends Fallback<Q, R> {
  constructor(
    name: string,
    level: StepLevel<Q>,
    private readonly find: (request: Q, signal: AbortSignal) => Promise<R | undefined>,
  ) {
    super(name, level);
  }

  override open(request: Q, signal: AbortSignal): AsyncGenerator<never, R | undefined> {
    return atOnce(() => this.find(request, signal).catch(() => undefined));
  }
}

/** What can be said without asking anybody. It must not pretend to be more than that. */
export class StaticFallback<Q, R> extends Fallback<Q, R> {
  constructor(
    name: string,
    level: StepLevel<Q>,
    private readonly value: R | ((request: Q, reason?: string) => R),
  ) {
    super(name, level);
  }

  override open(request: Q, _signal: AbortSignal, reason?: string): AsyncGenerator<never, R> {
    return atOnce(async () => this.valueFor(request, reason));
  }

  private valueFor(request: Q, reason?: string): R {
    const { value } = this;
    return typeof value === 'function'
      ? (value as (request: Q, reason?: string) => R)(request, reason)
      : value;
  }
}

/** A way to serve that gives out items on the way and returns the whole in the end. */
export class StreamFallback<Q, R, I> extends Fallback<Q, R, I> {
  constructor(
    name: string,
    level: StepLevel<Q>,
    private readonly stream: (request: Q, signal: AbortSignal) => AsyncGenerator<I, R | undefined>,
  ) {
    super(name, level);
  }

  override open(request: Q, signal: AbortSignal): AsyncGenerator<I, R | undefined> {
    return this.stream(request, signal);
  }
}

/** The way of a step that has nothing to give out before it is done. */
async function* atOnce<R>(serve: () => Promise<R>): AsyncGenerator<never, R> {
  yield* [];
  return await serve();
}

/** What a generator returns, whatever it gives out before. */
export async function lastOf<R>(generator: AsyncGenerator<unknown, R>): Promise<R> {
  let step = await generator.next();
  while (!step.done) step = await generator.next();
  return step.value;
}
