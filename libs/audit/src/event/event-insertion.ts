import type { Statement } from '#libs/database';
import type { SealedValue } from '../keeping/index.js';

/** An event as it is sent to the database. */
export interface NewEvent {
  body: string;
  /** What opens the commitments of the body, as far as it is not there already. */
  rows: readonly SealedValue[];
}

/**
 * Appends events in one statement; one that is there already stays as it is. Canonical JSON has no line break, so lines
 * need no escaping.
 */
export function auditInsertion(events: readonly NewEvent[]): Statement {
  const bodies = events.map(({ body }) => body).join('\n');
  const rows = events.flatMap((event) => event.rows);
  if (rows.length === 0) return { sql: `with ${LINES} ${INSERT}`, parameters: [bodies] };
  return {
    sql: `with ${LINES}, personal as (${INSERT_PERSONAL}) ${INSERT}`,
    parameters: [
      bodies,
      rows.map(({ tenantId }) => tenantId),
      rows.map(({ commitment }) => Buffer.from(commitment, 'base64')),
      rows.map(({ subject }) => subject),
      rows.map(({ sealed }) => Buffer.from(sealed, 'base64')),
    ],
  };
}

const LINES = `
  line as materialized (
    select line, line::jsonb as event from unnest(string_to_array($1::text, E'\\n')) as line
  )`;
/** The columns are taken from the body by the server, so that they cannot say anything else. */
const INSERT = `
  insert into audit_event (tenant_id, id, occurred_at, action, category, actor_type, actor_id, actor_role,
                           credential_id, targets, outcome, reason, request_id, route, context, detail, body)
  select (event->>'tenant_id')::uuid, (event->>'id')::uuid, (event->>'occurred_at')::timestamptz, event->>'action',
         event->>'category', event#>>'{actor,type}', (event#>>'{actor,id}')::uuid, event#>>'{actor,role}',
         (event#>>'{actor,credential_id}')::uuid, event->'targets', event->>'outcome', event->>'reason',
         event->>'request_id', event->>'route', event->'context', event->'detail', convert_to(line, 'UTF8')
  from line
  on conflict (tenant_id, id) do nothing`;
/** Events that come together may share a commitment. */
const INSERT_PERSONAL = `
  insert into audit_pii (tenant_id, commitment, subject, sealed)
  select * from unnest($2::uuid[], $3::bytea[], $4::uuid[], $5::bytea[])
  on conflict do nothing`;
