import type { EntityManager } from 'typeorm';
import type { AuditActor, AuditCategory, AuditDetail, AuditOutcome, AuditTarget } from './audit-record.js';
import { type AuditQuery, MOMENT, selectEvents } from './query/index.js';

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

/** A page of the log, stable while events are added: the newest first unless the query says otherwise. */
export async function listAudit(
  tx: EntityManager,
  tenantId: string,
  query: AuditQuery,
): Promise<AuditEvent[]> {
  const rows = await selectEvents<AuditRow>(tx, tenantId, query, { columns: COLUMNS });
  return rows.map(toEvent);
}

/** One event of the tenant's log. */
export async function findAuditEvent(
  tx: EntityManager,
  tenantId: string,
  id: string,
): Promise<AuditEvent | undefined> {
  const rows = (await tx.query(
    `select ${COLUMNS} from audit_event event where event.tenant_id = $1 and event.id = $2`,
    [tenantId, id],
  )) as AuditRow[];
  return rows.map(toEvent)[0];
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

const COLUMNS = `
  event.id, ${MOMENT} as occurred_at, event.action, event.category, event.actor_type, event.actor_id, event.actor_role,
  event.credential_id, event.targets, event.outcome, event.reason, event.request_id, event.route, event.context,
  event.detail`;
