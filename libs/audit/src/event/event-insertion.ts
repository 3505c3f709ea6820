import type { Statement } from '#libs/database';

/** An event as it is sent to the database. */
export interface NewEvent {
  body: string;
  /** What opens the commitments of the body, and how many there are. */
  personal?: { sealed: Buffer; commitments: number };
}

/**
 * Appends events in one statement; one that is there already stays as it is. Canonical JSON has no line break, so lines
 * need no escaping.
 */
export function auditInsertion(events: readonly NewEvent[]): Statement {
  const bodies = events.map(({ body }) => body).join('\n');
  if (events.every(({ personal }) => !personal)) return { sql: INSERT, parameters: [bodies] };
  const sealed = events.map(({ personal }) => personal?.sealed.toString('base64') ?? '').join('\n');
  const counts = events.map(({ personal }) => personal?.commitments ?? 0);
  return { sql: INSERT_WITH_PERSONAL_DATA, parameters: [bodies, sealed, counts] };
}

/** The columns are taken from the body by the server, so that they cannot say anything else. */
const EVENTS = `
  insert into audit_event (tenant_id, id, occurred_at, action, category, actor_type, actor_id, actor_role,
                           credential_id, targets, outcome, reason, request_id, route, context, detail, body)
  select (event->>'tenant_id')::uuid, (event->>'id')::uuid, (event->>'occurred_at')::timestamptz, event->>'action',
         event->>'category', event#>>'{actor,type}', (event#>>'{actor,id}')::uuid, event#>>'{actor,role}',
         (event#>>'{actor,credential_id}')::uuid, event->'targets', event->>'outcome', event->>'reason',
         event->>'request_id', event->>'route', event->'context', event->'detail', convert_to(line, 'UTF8')
  from line
  on conflict (tenant_id, id) do nothing`;
const INSERT = `
  with line as materialized (
    select line, line::jsonb as event from unnest(string_to_array($1::text, E'\\n')) as line
  )
  ${EVENTS}`;
/** Beside an event that was there before, its personal data is either there or erased. */
const INSERT_WITH_PERSONAL_DATA = `
  with line as materialized (
    select line, line::jsonb as event, sealed, commitments
    from unnest(string_to_array($1::text, E'\\n'), string_to_array($2::text, E'\\n'), $3::smallint[])
      as t (line, sealed, commitments)
  ), written as (
    ${EVENTS}
    returning tenant_id, id
  )
  insert into audit_pii (tenant_id, event_id, commitments, sealed)
  select w.tenant_id, w.id, line.commitments, decode(line.sealed, 'base64')
  from written w join line on (line.event->>'id')::uuid = w.id
  where line.commitments > 0`;
