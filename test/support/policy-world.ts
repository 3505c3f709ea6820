import { FatalFailure, TransientFailure } from '#libs/errors';
import {
  type Policy,
  type PolicyHooks,
  type PolicyOptions,
  PolicyRegistry,
  type RegistryDependencies,
} from '#libs/resilience';
import { VirtualClock } from './virtual-clock.js';

export const OPTIONS: PolicyOptions = {
  attemptTimeoutMs: 1_000,
  retry: { retries: 2 },
  breaker: { minimumCalls: 4, slowCallMs: 500, successes: 1 },
  bulkhead: { concurrency: 2, queue: 2, tenantShare: 1 },
};

/** A registry of policies, on time that passes when a test says so. */
export class PolicyWorld {
  readonly clock = new VirtualClock();
  readonly registry: PolicyRegistry;
  random = 0.5;

  constructor({ faults }: Pick<RegistryDependencies, 'faults'> = {}) {
    this.registry = new PolicyRegistry({ clock: this.clock, random: () => this.random, faults });
  }

  /** The policy `model`, with these changes of `OPTIONS`. */
  policyWith(changes: Partial<PolicyOptions> = {}, hooks?: PolicyHooks): Policy {
    return this.registry.define('model', { ...OPTIONS, ...changes }, hooks);
  }

  /** Lets so much time pass that the call ends. */
  async ended(call: Promise<unknown>, ms = 10_000): Promise<unknown> {
    const outcome = settled(call);
    await this.clock.advance(ms);
    return outcome;
  }

  close(): void {
    this.registry.close();
  }
}

export const pong = () => Promise.resolve('pong');
export const fails = () => Promise.reject(new TransientFailure('503'));
export const refused = () => Promise.reject(new FatalFailure('ECONNREFUSED'));
export const ignoring = () => new Promise<never>(() => undefined);
export const hangs = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));

/** What a call returned, or the error that it threw. */
export const settled = (call: Promise<unknown>) => call.catch((error: unknown) => error);
