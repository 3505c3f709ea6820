import type { World } from '../harness/world.js';
import type { Tenant } from '../harness/tenants.js';
import type { Check } from './check.js';

/**
 * No word of one tenant's documents reached another: not in an answer, a value of the cache or a prompt. Logs, metrics and
 * the audit log have no words of any tenant at all.
 */
export const isolation: Check = async ({ world, history, evidence, log }) => {
  const told = history.violations.filter(({ rule }) => rule === 'tenant-isolation').map(({ text }) => text);
  const metrics = evidence.after.map((snapshot) => snapshot.metrics?.text ?? '').join('\n');
  return [
    ...told,
    ...wordsIn('the log', log, world.tenants),
    ...wordsIn('the metrics', metrics, world.tenants),
    ...idsIn(metrics, world.tenants),
    ...(await mixedPrompts(world)),
    ...(await mixedCacheValues(world)),
    ...(await wordsInAudit(world)),
  ];
};

function wordsIn(where: string, text: string, tenants: readonly Tenant[]): string[] {
  return tenants
    .filter(({ canaries }) => canaries.some((canary) => text.includes(canary)))
    .map(({ name }) => `${where} has words of ${name}'s documents`);
}

function idsIn(metrics: string, tenants: readonly Tenant[]): string[] {
  return tenants
    .filter(({ tenantId }) => metrics.includes(tenantId))
    .map(({ name }) => `the metrics name ${name}`);
}

/** Words of how many tenants. */
const mixtureIn = (text: string, tenants: readonly Tenant[]) =>
  tenants.filter(({ canaries }) => canaries.some((canary) => text.includes(canary))).length;

async function mixedPrompts({ primary, second, tenants }: World): Promise<string[]> {
  const calls = [...(await primary.calls()), ...(await second.calls())];
  const mixed = calls.filter((call) => mixtureIn(JSON.stringify(call.body), tenants) > 1);
  return mixed.map(() => 'a prompt had words of two tenants');
}

async function mixedCacheValues({ redis, tenants }: World): Promise<string[]> {
  if (!redis) return [];
  const wrong: string[] = [];
  for await (const { key, value } of entriesOf(redis)) {
    const named = tenants.filter(({ tenantId }) => key.includes(tenantId));
    const owners = tenants.filter(({ canaries }) => canaries.some((canary) => value.includes(canary)));
    if (owners.length > 1) wrong.push('a value of the cache has words of two tenants');
    else if (named.length > 0 && owners.some((owner) => !named.includes(owner)))
      wrong.push('a value of the cache has words of another tenant than its key names');
  }
  return wrong;
}

/** Values of whatever type, as text. */
async function* entriesOf({ cli }: NonNullable<World['redis']>) {
  for await (const keys of cli.scanStream({ count: 500 }) as AsyncIterable<string[]>)
    for (const key of keys) {
      const bytes = await cli.dumpBuffer(key);
      yield { key, value: bytes?.toString('latin1') ?? '' };
    }
}

async function wordsInAudit({ postgres, tenants }: World): Promise<string[]> {
  const words = tenants.flatMap(({ canaries }) => canaries);
  const [row] = await postgres.sql<{ count: number }>(
    `select count(*)::int as count from audit_event e, unnest($1::text[]) word
     where position(word in e::text) > 0`,
    [words],
  );
  return row!.count > 0 ? [`${row!.count} audit events have words of documents`] : [];
}
