import { until } from '../harness/until.js';
import type { MetricsPage } from '../harness/metrics-page.js';
import type { Check, CheckedCell } from './check.js';

/** Idle connections of clients are closed within seconds. */
const SETTLE_MS = 15_000;
/** Beyond what there was before: connections that are kept, files that a log or a cache opened. */
const MORE_FILES = 30;
const MORE_TIMERS = 40;
const DEFAULT_POOL = 32;
/** Beyond the pool: the listener, a probe, and the sealer's two. */
const MORE_CONNECTIONS = 5;

/** Permits, connections, files and timers are what they were before: nothing was kept. */
export const baseline: Check = async (checked) => {
  let wrong: string[] = [];
  await until(async () => (wrong = await findWrong(checked)).length === 0, SETTLE_MS);
  return wrong;
};

async function findWrong({ world, evidence }: CheckedCell): Promise<string[]> {
  const wrong: string[] = [];
  for (const replica of world.replicas) {
    const page = await world.operator.metrics(replica);
    if (!page) {
      wrong.push(`${replica.name} does not show its metrics`);
      continue;
    }
    wrong.push(...heldPermits(page));
    const before = evidence.before.find(({ pid }) => pid === replica.pid);
    if (!before) continue;
    const files = await replica.openFiles();
    if (files > before.openFiles + MORE_FILES)
      wrong.push(`open files rose from ${before.openFiles} to ${files}`);
    const timers = timersOn(page);
    const timersBefore = before.metrics ? timersOn(before.metrics) : timers;
    if (timers > timersBefore + MORE_TIMERS) wrong.push(`timers rose from ${timersBefore} to ${timers}`);
  }
  return [...wrong, ...(await heldConnections({ world } as CheckedCell))];
}

/** The request for the metrics itself may hold one. */
function heldPermits(page: MetricsPage): string[] {
  return ['navigator_policy_permits_in_use', 'navigator_policy_queued'].flatMap((metric) =>
    page
      .find(metric)
      .filter(({ value }) => value > 1)
      .map(({ labels, value }) => `${metric} of ${labels['policy']} is ${value} at rest`),
  );
}

const timersOn = (page: MetricsPage) => page.sum('nodejs_active_resources', { type: 'Timeout' });

async function heldConnections({ world }: CheckedCell): Promise<string[]> {
  const rows = await world.postgres.sql<{ state: string; count: number }>(
    `select coalesce(state, 'none') as state, count(*)::int as count from pg_stat_activity
     where usename like '%\\_login' or usename like '%\\_sealing' group by 1`,
  );
  const total = rows.reduce((sum, { count }) => sum + count, 0);
  const pool = Number(world.setUp.environment?.['DATABASE_POOL_MAX'] ?? DEFAULT_POOL);
  const most = world.replicas.length * (pool + MORE_CONNECTIONS);
  const stuck = rows.find(({ state }) => state === 'idle in transaction')?.count ?? 0;
  return [
    ...(total > most ? [`the program has ${total} connections to PostgreSQL, more than ${most}`] : []),
    ...(stuck > 1 ? [`${stuck} connections to PostgreSQL are idle in a transaction`] : []),
  ];
}
