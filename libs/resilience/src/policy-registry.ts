import { createPolicy, type Policy, type PolicyOptions } from './policy.js';

/** All policies of the process by name: one for each dependency, declared once at start. */
export class PolicyRegistry {
  private readonly policies = new Map<string, Policy>();

  define(name: string, options: PolicyOptions): Policy {
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

  list(): Policy[] {
    return [...this.policies.values()];
  }
}
