import type { PolicyRegistry } from '#libs/resilience';
import type { AlertRule, Severity } from '../alert.js';

type Policies = Pick<PolicyRegistry, 'list'>;

/** A dependency is given up on. Half-open counts too: it has not worked again yet. */
export function circuitOpen(policies: Policies, severityOf: (policy: string) => Severity): AlertRule {
  return {
    name: 'circuit-open',
    severity: 'error',
    cleared: 'the circuit has closed',
    observe: () =>
      policies
        .list()
        .filter(({ state }) => state === 'open' || state === 'half-open')
        .map(({ name }) => ({
          subject: name,
          summary: `The circuit of ${name} is open`,
          severity: severityOf(name),
        })),
  };
}

/** All permits are taken and more callers wait. */
export function policySaturated(policies: Policies): AlertRule {
  return {
    name: 'policy-saturated',
    severity: 'warning',
    cleared: 'nobody waits any more',
    observe: () =>
      policies.list().flatMap((policy) => {
        const { permits } = policy.describe();
        if (!permits || permits.queued === 0 || permits.inUse < permits.limit) return [];
        return { subject: policy.name, summary: `All permits of ${policy.name} are taken and calls wait` };
      }),
  };
}

export function retryBudgetExhausted(policies: Policies): AlertRule {
  return {
    name: 'retry-budget-exhausted',
    severity: 'warning',
    cleared: 'there is budget for retries again',
    observe: () =>
      policies.list().flatMap((policy) => {
        const { retryBudgetLeft } = policy.describe();
        if (retryBudgetLeft === undefined || retryBudgetLeft >= 1) return [];
        return { subject: policy.name, summary: `Calls of ${policy.name} fail without being retried` };
      }),
  };
}
