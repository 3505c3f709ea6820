import { CircuitBreaker, type Outcome, type PolicyOptions } from '#libs/resilience';
import { type BreakerOptions, parseOptions } from '../../libs/resilience/src/options.js';
import type { Transition } from '../../libs/resilience/src/circuit-breaker/index.js';
import { VirtualClock } from './virtual-clock.js';

export type Given = NonNullable<PolicyOptions['breaker']>;

/** The options of a breaker with what is missing put in. */
export function optionsWith(given: Given = {}): BreakerOptions {
  return parseOptions('test', { attemptTimeoutMs: 600_000, breaker: given }).breaker!;
}

/** Circuit breakers on time that passes when a test says so, and what they told of themselves. */
export class BreakerWorld {
  readonly clock = new VirtualClock();
  readonly transitions: Transition[] = [];
  random = 0.5;

  breakerWith(given?: Given): CircuitBreaker {
    return new CircuitBreaker(optionsWith(given), {
      clock: this.clock,
      random: () => this.random,
      onTransition: (transition) => this.transitions.push(transition),
    });
  }
}

/** Lets calls go through the breaker, each with this outcome. */
export function call(breaker: CircuitBreaker, outcome: Outcome, { times = 1, ms = 1 } = {}): void {
  for (let i = 0; i < times; i++) breaker.record(breaker.acquire(), outcome, ms);
}

export const openNow = (breaker: CircuitBreaker) => call(breaker, 'fatal');
