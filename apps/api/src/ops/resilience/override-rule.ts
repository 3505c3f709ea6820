import type { AlertRule } from '#libs/monitoring';
import type { ResilienceOverrides } from './resilience-overrides.js';

/** Somebody has overridden a policy and may have forgotten it. */
export function overrideInForce(overrides: Pick<ResilienceOverrides, 'listInForce'>): AlertRule {
  return {
    name: 'policy-overridden',
    severity: 'warning',
    cleared: 'the override has ended',
    observe: () =>
      overrides.listInForce().map(({ policy, action, scope, expiresAt }) => ({
        subject: policy,
        summary: `An operator's order (${action}) overrides ${policy} until ${expiresAt!.toISOString()}`,
        severity: action === 'isolate' ? 'warning' : 'info',
        scope,
      })),
  };
}
