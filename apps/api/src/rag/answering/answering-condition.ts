import type { PolicyRegistry, PolicyState, ServiceLevel } from '#libs/resilience';

interface Condition {
  level: ServiceLevel;
  reason?: string;
}

/** How good an answer can be at the moment, as far as the policies know without a question. */
export function answeringCondition(
  policies: Pick<PolicyRegistry, 'policy'>,
  models: readonly { name: string }[],
): () => Condition {
  const isDown = (name: string) => DOWN.has(policies.policy(name).state);
  return () => {
    if (isDown('postgres')) return { level: 'unavailable', reason: 'postgres: circuit-open' };
    const down = models.map(({ name }) => isDown(`model:${name}`));
    if (!down[0]) return { level: 'full' };
    const level = down.every(Boolean) ? 'minimal' : 'degraded';
    return { level, reason: `model:${models[0]!.name}: circuit-open` };
  };
}

const DOWN: ReadonlySet<PolicyState> = new Set(['open', 'isolated']);
