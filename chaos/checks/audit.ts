import { QUESTIONS, WRITES } from '../load/operations.js';
import type { Operation } from '../load/history.js';
import { until } from '../harness/until.js';
import type { Check, CheckedCell } from './check.js';

/** What was kept on the disk during an outage is written within this time. */
const SPOOL_LIMIT_MS = 15_000;

/**
 * Every acknowledged change has exactly one event of success, every acknowledged question at least one (a stream has one
 * when it begins and one when it ends).
 */
export const audit: Check = async (checked) => {
  let wrong: string[] = [];
  await until(async () => (wrong = await findWrong(checked)).length === 0, SPOOL_LIMIT_MS);
  return wrong;
};

async function findWrong({ world, history }: CheckedCell): Promise<string[]> {
  const done = history.operations.filter(
    ({ outcome, kind, replayed }) => outcome === 'ok' && !replayed && (isWrite(kind) || QUESTIONS.has(kind)),
  );
  const rows = await world.postgres.sql<{ request_id: string; count: number }>(
    `select request_id, count(*)::int as count from audit_event
     where request_id = any($1) and outcome = 'success' group by request_id`,
    [done.map(({ requestId }) => requestId)],
  );
  const counts = new Map(rows.map(({ request_id, count }) => [request_id, count]));
  return done
    .map((operation) => ({ operation, count: counts.get(operation.requestId ?? '') ?? 0 }))
    .filter(({ operation, count }) => count === 0 || (isWrite(operation.kind) && count > 1))
    .map(({ operation, count }) => describe(operation, count));
}

const isWrite = (kind: string) => WRITES.has(kind) || kind === 'probe-write';

const describe = ({ kind, requestId }: Operation, count: number) =>
  `${kind} (request ${requestId}) has ${count} events in the audit log`;
