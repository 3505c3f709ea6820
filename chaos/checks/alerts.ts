import { until } from '../harness/until.js';
import type { Check, CheckedCell } from './check.js';

/** Alerts are resolved 5 s after the last sign of what they are about, here; levels show it for 10 s. */
const RESOLVED_LIMIT_MS = 30_000;

interface Alert {
  rule: string;
  subject: string;
  state: 'open' | 'resolved';
  opened_at: string;
}

/** Every alert was resolved by itself, and where one must have been opened there was one. */
export const alerts: Check = async (checked) => {
  const { cell, evidence } = checked;
  let found: Alert[] = [];
  const areResolved = async () => {
    found = await alertsSince(checked, evidence.faultDate);
    return found.every(({ state }) => state === 'resolved');
  };
  await until(areResolved, RESOLVED_LIMIT_MS);
  const open = found.filter(({ state }) => state === 'open');
  return [
    ...open.map(({ rule, subject }) => `${rule} of ${subject} is still open`),
    ...(cell.alerts && found.length === 0 ? ['no alert was opened'] : []),
  ];
};

async function alertsSince({ world }: CheckedCell, since: Date): Promise<Alert[]> {
  const page = await world.operator.get<{ items: Alert[] }>(
    world.replica,
    '/v1/admin/alerts?state=all&limit=100',
  );
  if (!page) throw new Error('the alerts cannot be read');
  return page.items.filter(({ opened_at, state }) => state === 'open' || new Date(opened_at) >= since);
}
