import type { EntityManager } from 'typeorm';
import {
  type AuditQuery,
  type Bind,
  conditionsOf,
  hasTarget,
  isAfter,
  isMatchingAction,
} from './audit-query.js';

/** What kinds of events there are in a log: few, however long it is. */
interface EventKind {
  category: string;
  action: string;
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * Rows of a page of the log, each by an index that has them in the order asked for: the newest first unless the query says
 * otherwise. Each way to them gives as many as a page has at most; the page is the best of these.
 *
 * @param columns of the row `event`
 * @param joins to other tables, one row for each event
 */
export async function selectEvents<Row>(
  tx: EntityManager,
  tenantId: string,
  query: AuditQuery,
  { columns, joins = '' }: { columns: string; joins?: string },
): Promise<Row[]> {
  const values: unknown[] = [tenantId];
  const bind: Bind = (value) => `$${values.push(value)}`;
  if (isAlongTime(query)) {
    const conditions = [...conditionsOf(query, bind), ...isAfter(query, bind)];
    return (await tx.query(
      `select ${columns} from audit_event event ${joins} where ${all(conditions)} ${endOf(query, bind)}`,
      values,
    )) as Row[];
  }
  const paths = await pathsOf(tx, tenantId, query, bind);
  if (paths.length === 0) return [];
  // Each event once, though several paths may lead to it.
  const found = `(${paths.map((path) => `(${path})`).join(' union ')}) found`;
  const [order, limit] = [orderOf(query), bind(query.limit)];
  return (await tx.query(
    `select ${columns}
     from (select found.id from ${found} order by found.occurred_at ${order}, found.id ${order} limit ${limit}) page
     join audit_event event on event.tenant_id = $1 and event.id = page.id ${joins}
     order by event.occurred_at ${order}, event.id ${order}`,
    values,
  )) as Row[];
}

/** Whether the index on time leads to them, or the one on actor and time: the rows themselves can be read along it. */
function isAlongTime({ requestId, targetId, text, actorId, action, category }: AuditQuery): boolean {
  return !requestId && !targetId && !text && (actorId !== undefined || !(action || category));
}

/** Statements for `occurred_at` and `id` of the events, that together lead to all of them. */
async function pathsOf(
  tx: EntityManager,
  tenantId: string,
  query: AuditQuery,
  bind: Bind,
): Promise<string[]> {
  const { requestId, targetId, actorId, action, category, text, ...others } = query;
  const end = endOf(query, bind);
  const conditions = (of: AuditQuery) => [...conditionsOf(of, bind), ...isAfter(query, bind)];
  if (requestId) return [byRequest(conditions(query), end)];
  if (targetId) return [byTarget(bind(targetId), conditions(query), end)];
  if (text) {
    const rest = conditions({ ...others, actorId, action, category });
    const kinds = (await listKinds(tx, tenantId)).filter((kind) => kind.action.includes(text.toLowerCase()));
    const value = bind(text);
    return [
      ...byKinds(kinds, rest, end, bind),
      byRequest([`event.request_id = ${value}`, ...rest], end),
      byTarget(value, [hasTarget(value), ...rest], end),
      ...(UUID.test(text)
        ? ['id', 'actor_id'].map((column) => inOrder([`event.${column} = ${value}::uuid`, ...rest], end))
        : []),
    ];
  }
  const kinds = (await listKinds(tx, tenantId)).filter(
    (kind) => (!category || kind.category === category) && (!action || isMatchingAction(kind.action, action)),
  );
  return byKinds(kinds, conditions(others), end, bind);
}

/** Of an id that one event has, or one actor. */
function inOrder(conditions: readonly string[], end: string): string {
  return `select event.occurred_at, event.id from audit_event event where ${all(conditions)} ${end}`;
}

/** A request has few events; with a limit in sight the planner might look for them along the time instead. */
function byRequest(conditions: readonly string[], end: string): string {
  return `select event.occurred_at, event.id
          from (select event.occurred_at, event.id from audit_event event where ${all(conditions)} offset 0) event ${end}`;
}

/** The digest leads to the events, the condition among those given says whether it is the target itself. */
function byTarget(target: string, conditions: readonly string[], end: string): string {
  return `select event.occurred_at, event.id
          from audit_target target
          join audit_event event on event.tenant_id = target.tenant_id and event.id = target.event_id
          where target.tenant_id = $1 and target.digest = hashtextextended(${target}::text, 0) and ${all(conditions)}
          ${end.replaceAll('event.occurred_at', 'target.occurred_at').replaceAll('event.id', 'target.event_id')}`;
}

/** The best of each kind, of which the best are taken: reading all of them would take as long as there are many. */
function byKinds(
  kinds: readonly EventKind[],
  conditions: readonly string[],
  end: string,
  bind: Bind,
): string[] {
  if (kinds.length === 0) return [];
  const categories = bind(kinds.map(({ category }) => category));
  const actions = bind(kinds.map(({ action }) => action));
  return [
    `select event.occurred_at, event.id
     from unnest(${categories}::text[], ${actions}::text[]) as kind (category, action)
     cross join lateral (
       select event.occurred_at, event.id from audit_event event
       where event.category collate "C" = kind.category and event.action collate "C" = kind.action and ${all(conditions)}
       ${end}
     ) event ${end}`,
  ];
}

/** Steps from one to the next along the index. */
async function listKinds(tx: EntityManager, tenantId: string): Promise<EventKind[]> {
  const next = (condition: string) => `
    select event.category collate "C" as category, event.action collate "C" as action from audit_event event
    where event.tenant_id = $1 ${condition}
    order by event.category collate "C", event.action collate "C" limit 1`;
  return (await tx.query(
    `with recursive kind as (
       (${next('')})
       union all
       select following.* from kind cross join lateral (
         ${next('and (event.category collate "C", event.action collate "C") > (kind.category, kind.action)')}
       ) following
     ) select category, action from kind`,
    [tenantId],
  )) as EventKind[];
}

const all = (conditions: readonly string[]) => ['event.tenant_id = $1', ...conditions].join(' and ');
const orderOf = ({ order }: AuditQuery) => (order === 'asc' ? 'asc' : 'desc');

function endOf(query: AuditQuery, bind: Bind): string {
  const order = orderOf(query);
  return `order by event.occurred_at ${order}, event.id ${order} limit ${bind(query.limit)}`;
}
