import type { AuditRecord } from '../audit-record.js';
import type { Commitment } from '../keeping/index.js';
import { canonicalJson, type JsonValue } from './canonical-json.js';

/** Of bodies; the second has commitments of personal data (`pii_refs`). A verifier refuses versions that it does not know. */
const [WITHOUT_PERSONAL_DATA, WITH_PERSONAL_DATA] = [1, 2];

/** An event as it stands in the table: one member for each column that is a projection of the body. */
export interface AuditColumns {
  tenant_id: string;
  id: string;
  /** RFC 3339 in UTC with microseconds. */
  occurred_at: string;
  action: string;
  category: string;
  actor_type: string;
  actor_id: string | null;
  actor_role: string | null;
  credential_id: string | null;
  targets: JsonValue;
  outcome: string;
  reason: string | null;
  request_id: string | null;
  route: string | null;
  context: JsonValue;
  detail: JsonValue;
}

export interface EventIdentity {
  tenantId: string;
  id: string;
  /** RFC 3339 in UTC with milliseconds or microseconds. */
  occurredAt: string;
}

/** The exact text of an event (UTF-8 when it is hashed or stored): canonical JSON, without a line break. */
export function auditBody(
  { tenantId, id, occurredAt }: EventIdentity,
  record: AuditRecord,
  refs?: readonly Commitment[],
): string {
  const { actor } = record;
  const columns: AuditColumns = {
    tenant_id: tenantId,
    id,
    occurred_at: withMicroseconds(occurredAt),
    action: record.action,
    category: record.category,
    actor_type: actor.type,
    actor_id: actor.id ?? null,
    actor_role: actor.role ?? null,
    credential_id: actor.credentialId ?? null,
    targets: record.targets as unknown as JsonValue,
    outcome: record.outcome,
    reason: record.reason ?? null,
    request_id: record.requestId ?? null,
    route: record.route ?? null,
    context: record.context,
    detail: record.detail,
  };
  return bodyOfColumns(columns, refs && (refs as unknown as JsonValue));
}

/**
 * The body that has these columns: the columns of an event are untouched exactly when this is its body. Commitments are
 * no column, because nobody asks for events by them.
 */
export function bodyOfColumns(columns: AuditColumns, refs?: JsonValue): string {
  const { actor_type, actor_id, actor_role, credential_id, ...others } = columns;
  const actor = { type: actor_type, id: actor_id, role: actor_role, credential_id };
  if (refs === undefined) return canonicalJson({ ...others, actor, v: WITHOUT_PERSONAL_DATA });
  return canonicalJson({ ...others, actor, pii_refs: refs, v: WITH_PERSONAL_DATA });
}

/** Names of the columns that differ from what the body says; all of them when it is no body at all. */
export function alteredColumns(columns: AuditColumns, body: string): string[] {
  if (bodyOfColumns(columns) === body) return [];
  const told = columnsOfBody(body);
  return (Object.keys(columns) as (keyof AuditColumns)[]).filter(
    (name) => canonicalJson(columns[name]) !== canonicalJson(told?.[name] ?? null),
  );
}

function columnsOfBody(body: string): AuditColumns | undefined {
  try {
    const { actor, v, ...others } = JSON.parse(body) as Record<string, Record<string, JsonValue>>;
    if (Number(v) !== WITHOUT_PERSONAL_DATA && Number(v) !== WITH_PERSONAL_DATA) return undefined;
    const { type, id, role, credential_id } = actor!;
    return { ...others, actor_type: type, actor_id: id, actor_role: role, credential_id } as never;
  } catch {
    return undefined;
  }
}

let latestMs = 0;
let withinMs = 0;

/**
 * Now, in RFC 3339 with microseconds. The clock has milliseconds only; the rest counts what happened within one, so that
 * the events of a process stay in their order.
 */
export function auditMoment(now: () => number = Date.now): string {
  const ms = now();
  withinMs = ms === latestMs ? Math.min(withinMs + 1, 999) : 0;
  latestMs = ms;
  return new Date(ms).toISOString().replace('Z', `${String(withinMs).padStart(3, '0')}Z`);
}

function withMicroseconds(moment: string): string {
  return moment.replace(/\.(\d{3})Z$/, '.$1000Z');
}
