import type { World } from '../harness/world.js';
import type { Operation } from '../load/history.js';
import { QUESTIONS } from '../load/operations.js';
import type { Check } from './check.js';

/** Everything that was acknowledged is in the database. */
export const acknowledged: Check = async ({ world, history }) => {
  const done = history.operations.filter(({ outcome }) => outcome === 'ok');
  const missing = [
    ...(await missingFrom(
      world,
      'document',
      done.filter(({ kind }) => kind === 'upload'),
    )),
    ...(await missingFrom(world, 'conversation', done.filter(isConversation))),
    ...(await missingFrom(world, 'turn', done.filter(isSavedTurn), `status = 'answered'`)),
  ];
  return missing.map(
    ({ kind, resourceId, id }) => `${kind} ${resourceId} (operation ${id}) was acknowledged and is lost`,
  );
};

/** Whatever was sent under one key was done once at most, and once exactly when it was acknowledged. */
export const once: Check = async ({ world, history }) => {
  const keyed = history.operations.filter(isConversation);
  const acked = new Set(
    keyed.filter(({ outcome }) => outcome === 'ok').map(({ idempotencyKey }) => idempotencyKey),
  );
  const keys = [...new Set(keyed.map(({ idempotencyKey }) => idempotencyKey!))];
  const rows = await world.postgres.sql<{ title: string; count: number }>(
    `select title, count(*)::int as count from conversation where title = any($1) group by title`,
    [keys],
  );
  const counts = new Map(rows.map(({ title, count }) => [title, count]));
  const wrong = keys
    .map((key) => ({ key, count: counts.get(key) ?? 0, least: acked.has(key) ? 1 : 0 }))
    .filter(({ count, least }) => count > 1 || count < least)
    .map(({ key, count }) => `the conversation of key ${key} is there ${count} times`);
  return [...wrong, ...(await doubledTurns(world)), ...(await doubledDocuments(world))];
};

/** Every question of the load but the repeated ones has a case number of its own. */
async function doubledTurns({ postgres }: World): Promise<string[]> {
  const rows = await postgres.sql<{ question: string; count: number }>(
    `select question, count(*)::int as count from turn where question like '%(case %' group by question having count(*) > 1`,
  );
  return rows.map(({ question, count }) => `${count} turns were saved for one question: ${question}`);
}

async function doubledDocuments({ postgres }: World): Promise<string[]> {
  const rows = await postgres.sql<{ count: number }>(
    `select count(*)::int as count from document group by tenant_id, owner_id, sha256 having count(*) > 1`,
  );
  return rows.map(({ count }) => `one file is there as ${count} documents`);
}

async function missingFrom(
  { postgres }: World,
  table: 'document' | 'conversation' | 'turn',
  operations: Operation[],
  condition = 'true',
): Promise<Operation[]> {
  const ids = operations.map(({ resourceId }) => resourceId);
  const rows = await postgres.sql<{ id: string }>(
    `select id from ${table} where id = any($1::uuid[]) and ${condition}`,
    [ids],
  );
  const found = new Set(rows.map(({ id }) => id));
  return operations.filter(({ resourceId }) => !resourceId || !found.has(resourceId));
}

const isConversation = ({ kind }: Operation) => kind === 'conversation' || kind === 'probe-write';
/** An answer that says that it was not saved promises nothing. */
const isSavedTurn = ({ kind, detail }: Operation) => QUESTIONS.has(kind) && !detail?.['unsaved'];
