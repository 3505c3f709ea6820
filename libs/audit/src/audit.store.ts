import type { EntityManager } from 'typeorm';
import type { AuditActor, AuditCategory, AuditDetail, AuditOutcome, AuditTarget } from './audit-record.js';

/** An event as it stands in the log. */
export interface AuditEvent {
  id: string;
  /** RFC 3339 in UTC with microseconds: a Date would lose them, and with them the order. */
  occurredAt: string;
  action: string;
  category: AuditCategory;
  actor: Omit<AuditActor, 'tenantId'>;
  targets: AuditTarget[];
  outcome: AuditOutcome;
  reason: string | null;
  requestId: string | null;
  route: string | null;
  context: AuditDetail;
  detail: AuditDetail;
}

export interface AuditQuery {
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
  order: 'asc' | 'desc';
  /** The last event of the page before. */
  after?: { occurredAt: string; id: string };
  limit: number;
}

/** A page of the log, stable while events are added: the newest first unless the query says otherwise. */
export async function listAudit(
  tx: EntityManager,
  tenantId: string,
  query: AuditQuery,
): Promise<AuditEvent[]> {
  const values: unknown[] = [tenantId];
  const bind = (value: unknown) => `$${values.push(value)}`;
  const conditions = ['tenant_id = $1', ...conditionsOf(query, bind)];
  const direction = query.order === 'asc' ? 'asc' : 'desc';
  const rows = (await tx.query(
    `select ${COLUMNS} from audit_event event
     where ${conditions.join(' and ')}
     order by event.occurred_at ${direction}, event.id ${direction}
     limit ${bind(query.limit)}`,
    values,
  )) as AuditRow[];
  return rows.map(toEvent);
}

/** One event of the tenant's log. */
export async function findAuditEvent(
  tx: EntityManager,
  tenantId: string,
  id: string,
): Promise<AuditEvent | undefined> {
  const rows = (await tx.query(`select ${COLUMNS} from audit_event where tenant_id = $1 and id = $2`, [
    tenantId,
    id,
  ])) as AuditRow[];
  return rows.map(toEvent)[0];
}

function conditionsOf(query: AuditQuery, bind: (value: unknown) => string): string[] {
  const { after, order } = query;
  return [
    query.from && `occurred_at >= ${bind(query.from)}`,
    query.to && `occurred_at < ${bind(query.to)}`,
    query.action && actionCondition(query.action, bind),
    query.actorId && `actor_id = ${bind(query.actorId)}`,
    query.targetId && `targets @> jsonb_build_array(jsonb_build_object('id', ${bind(query.targetId)}::text))`,
    query.outcome && `outcome = ${bind(query.outcome)}`,
    query.category && `category = ${bind(query.category)}`,
    query.text && textCondition(bind(query.text)),
    query.requestId && `request_id = ${bind(query.requestId)}`,
    after &&
      `(occurred_at, id) ${order === 'asc' ? '>' : '<'} (${bind(after.occurredAt)}::timestamptz, ${bind(after.id)}::uuid)`,
  ].filter((condition): condition is string => Boolean(condition));
}

function textCondition(text: string): string {
  return `(position(lower(${text}::text) in action) > 0 or ${text} in (id::text, actor_id::text, request_id)
           or targets @> jsonb_build_array(jsonb_build_object('id', ${text}::text)))`;
}

function actionCondition(action: string, bind: (value: unknown) => string): string {
  return action.endsWith('*')
    ? `starts_with(action, ${bind(action.slice(0, -1))})`
    : `action = ${bind(action)}`;
}

interface AuditRow {
  id: string;
  occurred_at: string;
  action: string;
  category: AuditCategory;
  actor_type: AuditActor['type'];
  actor_id: string | null;
  actor_role: string | null;
  credential_id: string | null;
  targets: AuditTarget[];
  outcome: AuditOutcome;
  reason: string | null;
  request_id: string | null;
  route: string | null;
  context: AuditDetail;
  detail: AuditDetail;
}

function toEvent(row: AuditRow): AuditEvent {
  return {
    id: row.id,
    occurredAt: row.occurred_at,
    action: row.action,
    category: row.category,
    actor: {
      type: row.actor_type,
      id: row.actor_id ?? undefined,
      role: row.actor_role ?? undefined,
      credentialId: row.credential_id ?? undefined,
    },
    targets: row.targets,
    outcome: row.outcome,
    reason: row.reason,
    requestId: row.request_id,
    route: row.route,
    context: row.context,
    detail: row.detail,
  };
}

/** The text of the time must not be what is sorted by: only the column has an index. */
const COLUMNS = `
  id, to_char(occurred_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as occurred_at, action, category,
  actor_type, actor_id, actor_role, credential_id, targets, outcome, reason, request_id, route, context, detail`;
