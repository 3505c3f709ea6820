import type { AuditCategory, AuditOutcome } from '../audit-record.js';

/** Which events of a tenant. */
export interface AuditFilter {
  /** Inclusive. */
  from?: string;
  /** Exclusive. */
  to?: string;
  /** An exact action, or a prefix ending in `*`. */
  action?: string;
  actorId?: string;
  targetId?: string;
  outcome?: AuditOutcome;
  category?: AuditCategory;
  requestId?: string;
  /** A part of the action, or the whole id of the event, its actor, one of its targets or its request. */
  text?: string;
  /** Only events whose transaction had committed then: a `pg_snapshot`. */
  snapshot?: string;
}

/** Which page of them. */
export interface AuditQuery extends AuditFilter {
  order: 'asc' | 'desc';
  /** The last event of the page before. */
  after?: EventPosition;
  limit: number;
}

export interface EventPosition {
  /** RFC 3339 with microseconds. */
  occurredAt: string;
  id: string;
}

/** Gives the placeholder of a value. */
export type Bind = (value: unknown) => string;

/** What an event must be, of the row `event`. */
export function conditionsOf(filter: AuditFilter, bind: Bind): string[] {
  return [
    filter.from && `event.occurred_at >= ${bind(filter.from)}`,
    filter.to && `event.occurred_at < ${bind(filter.to)}`,
    filter.action && actionCondition(filter.action, bind),
    filter.actorId && `event.actor_id = ${bind(filter.actorId)}`,
    filter.targetId && hasTarget(bind(filter.targetId)),
    filter.outcome && `event.outcome = ${bind(filter.outcome)}`,
    filter.category && `event.category = ${bind(filter.category)}`,
    filter.text && textCondition(bind(filter.text)),
    filter.requestId && `event.request_id = ${bind(filter.requestId)}`,
    filter.snapshot && `pg_visible_in_snapshot(event.xid, ${bind(filter.snapshot)}::pg_snapshot)`,
  ].filter((condition): condition is string => Boolean(condition));
}

/** That it stands behind the position in this order. */
export function isAfter({ after, order }: AuditQuery, bind: Bind): string[] {
  if (!after) return [];
  const behind = order === 'asc' ? '>' : '<';
  const position = `(${bind(after.occurredAt)}::timestamptz, ${bind(after.id)}::uuid)`;
  return [`(event.occurred_at, event.id) ${behind} ${position}`];
}

export function isMatchingAction(action: string, wanted: string): boolean {
  return wanted.endsWith('*') ? action.startsWith(wanted.slice(0, -1)) : action === wanted;
}

export function hasTarget(id: string): string {
  return `event.targets @> jsonb_build_array(jsonb_build_object('id', ${id}::text))`;
}

function actionCondition(action: string, bind: Bind): string {
  return action.endsWith('*')
    ? `starts_with(event.action, ${bind(action.slice(0, -1))})`
    : `event.action = ${bind(action)}`;
}

function textCondition(text: string): string {
  return `(position(lower(${text}::text) in event.action) > 0
           or ${text} in (event.id::text, event.actor_id::text, event.request_id) or ${hasTarget(text)})`;
}
