import type { DatabaseProbe } from '#libs/database';
import type { HealthProbe } from '#libs/health';
import type { Policy, PolicyRegistry } from '#libs/resilience';

/** The database, and every other dependency through its policy: what the circuit knows costs nothing to ask. */
export function dependencyProbes(database: DatabaseProbe, policies: PolicyRegistry): HealthProbe[] {
  const others = policies.list().filter(({ name }) => name !== 'postgres');
  return [databaseProbe(database, policies.policy('postgres')), ...others.map(policyProbe)];
}

/** Asked past its policy: the question is whether it answers, not what has been learnt about it. */
function databaseProbe(database: DatabaseProbe, policy: Policy): HealthProbe {
  return {
    name: 'database',
    neededForReadiness: true,
    async check() {
      await database.ping();
      return { circuit: policy.state, degraded: policy.state !== 'closed' };
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
