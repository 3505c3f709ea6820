import { FatalFailure, Overloaded, TransientFailure } from '#libs/errors';
import type { VirtualClock } from '../support/virtual-clock.js';
import type { SeededRandom } from './seeded-random.js';

export const TROUBLES = ['failing', 'refusing', 'hanging', 'deaf', 'slow', 'overloaded', 'flaky'] as const;
export type Condition = 'healthy' | (typeof TROUBLES)[number];

const NEVER_MS = 1e9;
const DEAF_MS: [min: number, max: number] = [500, 4_500];
const ITEMS_OF_A_STREAM = 3;

export interface DependencySpeed {
  healthyMs: [min: number, max: number];
  slowMs: [min: number, max: number];
  /** Calls at once that it bears while it is overloaded. */
  bears: number;
}

/** Something that is asked over a network, and that is at times not well. Its calls end when they are aborted, except while it is deaf. */
export class SimulatedDependency {
  condition: Condition = 'healthy';
  /** Whether it was ever anything but healthy. */
  wasInTrouble = false;
  calls = 0;
  inFlight = 0;
  peak = 0;
  private readonly operations = new Set<number>();

  constructor(
    readonly name: string,
    private readonly speed: DependencySpeed,
    private readonly clock: VirtualClock,
    private readonly random: SeededRandom,
  ) {}

  set(condition: Condition): void {
    this.condition = condition;
    this.wasInTrouble ||= condition !== 'healthy';
  }

  /** Calls that were not retries or hedges of another. */
  get asked(): number {
    return this.operations.size;
  }

  /** @param operation the same for a call, its retries and its hedge */
  async ask<T>(operation: number, signal: AbortSignal, answer: () => T): Promise<T> {
    this.begin(operation);
    try {
      await this.behave(signal);
      return answer();
    } finally {
      this.inFlight--;
    }
  }

  /** Fails, if it fails, before the first item or after any. */
  async *stream(operation: number, signal: AbortSignal): AsyncGenerator<string> {
    this.begin(operation);
    try {
      for (let item = 0; item < ITEMS_OF_A_STREAM; item++) {
        if (item === 0 || this.random.chance(0.3)) await this.behave(signal);
        else await this.clock.sleep(this.random.between(1, 20), signal);
        yield this.name;
      }
    } finally {
      this.inFlight--;
    }
  }

  private begin(operation: number): void {
    this.calls++;
    this.operations.add(operation);
    this.inFlight++;
    this.peak = Math.max(this.peak, this.inFlight);
  }

  private async behave(signal: AbortSignal): Promise<void> {
    const { clock, random, speed } = this;
    switch (this.condition) {
      case 'refusing':
        throw new FatalFailure('connection refused');
      case 'hanging':
        return clock.sleep(NEVER_MS, signal);
      case 'deaf':
        return clock.sleep(random.between(...DEAF_MS));
      case 'slow':
        return clock.sleep(random.between(...speed.slowMs), signal);
      case 'overloaded':
        if (this.inFlight > speed.bears)
          throw new Overloaded('429', { retryAfterMs: random.between(50, 1_000) });
        break;
      case 'flaky':
        if (random.chance(0.3)) throw new TransientFailure('reset');
        break;
      case 'failing':
        await clock.sleep(random.between(1, 20), signal);
        throw new TransientFailure('503');
      case 'healthy':
    }
    await clock.sleep(random.between(...speed.healthyMs), signal);
  }
}
