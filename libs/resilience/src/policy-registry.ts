import type { Clock, Random } from './clock.js';
import { PolicyEvents } from './events.js';
import type { FaultInjector } from './faults.js';
import { createPolicy } from './interim-policy.js';
import type { PolicyOptions } from './options.js';
import type { Outcome, Policy, PolicyOverride } from './policy-types.js';

export interface RegistryDependencies {
  clock?: Clock;
  random?: Random;
  faults?: FaultInjector;
}

export interface PolicyHooks {
  /** What an error of a call means; for errors that are none of ours. */
  classify?(error: unknown): Outcome;
  /** Asks the dependency something cheap; while the circuit is open it is asked whether it is back. */
  probe?(signal: AbortSignal): Promise<unknown>;
}

/** All policies of the process by name: one for each dependency, declared once at start. */
export class PolicyRegistry {
  readonly events = new PolicyEvents();
  private readonly policies = new Map<string, Policy>();

  constructor(_dependencies: RegistryDependencies = {}) {}

  /** @throws InvalidPolicyOptions */
  define(name: string, options: PolicyOptions, _hooks: PolicyHooks = {}): Policy {
    if (this.policies.has(name)) throw new Error(`The policy ${name} is defined twice`);
    const policy = createPolicy(name, options);
    this.policies.set(name, policy);
    return policy;
  }

  /** @throws Error for a name that was never defined: a mistake in our wiring. */
  policy(name: string): Policy {
    const policy = this.policies.get(name);
    if (!policy) throw new Error(`There is no policy named ${name}`);
    return policy;
  }

  /** The policy of one of many that are alike, such as the hosts of webhooks; made when it is first asked for. */
  keyed(template: string, _key: string): Policy {
    return this.policy(template);
  }

  list(): Policy[] {
    return [...this.policies.values()];
  }

  update(_options: Record<string, unknown>): void {}

  /** `null` lifts it. */
  override(name: string, override: PolicyOverride | null): void {
    this.policy(name).override(override);
  }

  close(): void {}
}
