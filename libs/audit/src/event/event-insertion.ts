import type { Statement } from '#libs/database';
import { uuidv7 } from '#libs/database';
import type { AuditRecord } from '../audit-record.js';
import { auditBody, auditMoment } from './audit-body.js';

/**
 * Appends one event to the log of the tenant in whose transaction it is sent.
 *
 * @param earlier id and time of an event that may be there already; appending it again has no effect
 */
export function auditInsertion(
  tenantId: string,
  record: AuditRecord,
  { id = uuidv7(), occurredAt = auditMoment() }: { id?: string; occurredAt?: string } = {},
): Statement {
  return insertionOfBodies([auditBody({ tenantId, id, occurredAt }, record)]);
}

/** Appends events in one statement. Canonical JSON has no line break, so lines need no escaping. */
export function insertionOfBodies(bodies: readonly string[]): Statement {
  return { sql: INSERT, parameters: [bodies.join('\n')] };
}

/** The columns are taken from the body by the server, so that they cannot say anything else. */
const INSERT = `
  with line as materialized (
    select line, line::jsonb as event from unnest(string_to_array($1::text, E'\\n')) as line
  )
  insert into audit_event (tenant_id, id, occurred_at, action, category, actor_type, actor_id, actor_role,
                           credential_id, targets, outcome, reason, request_id, route, context, detail, body)
  select (event->>'tenant_id')::uuid, (event->>'id')::uuid, (event->>'occurred_at')::timestamptz, event->>'action',
         event->>'category', event#>>'{actor,type}', (event#>>'{actor,id}')::uuid, event#>>'{actor,role}',
         (event#>>'{actor,credential_id}')::uuid, event->'targets', event->>'outcome', event->>'reason',
         event->>'request_id', event->>'route', event->'context', event->'detail', convert_to(line, 'UTF8')
  from line
  on conflict (tenant_id, id) do nothing`;
