import type { DataSource } from 'typeorm';
import type { HealthProbe } from '#libs/health';
import type { Policy, PolicyRegistry } from '#libs/resilience';

/** The database, and every other dependency through its policy: what the circuit knows costs nothing to ask. */
export function dependencyProbes(source: DataSource, policies: PolicyRegistry): HealthProbe[] {
  const others = policies.list().filter(({ name }) => name !== 'postgres');
  return [databaseProbe(source), ...others.map(policyProbe)];
}

function databaseProbe(source: DataSource): HealthProbe {
  return {
    name: 'database',
    neededForReadiness: true,
    async check() {
      await source.query('select 1');
      return {};
    },
  };
}

function policyProbe(policy: Policy): HealthProbe {
  return {
    name: policy.name,
    neededForReadiness: false,
    check: () => Promise.resolve({ circuit: policy.state, degraded: policy.state !== 'closed' }),
  };
}
