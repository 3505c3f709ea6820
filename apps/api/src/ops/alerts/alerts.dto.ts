import { z } from 'zod';
import { cursorQuery, decodeCursor, pageOf } from '#libs/http';
import { type Alert, type AlertQuery, SEVERITIES } from '#libs/monitoring';

export const ListAlerts = z.strictObject({
  ...cursorQuery,
  state: z.enum(['open', 'resolved', 'all']).default('open'),
  severity: z.enum(SEVERITIES).optional(),
});
export type ListAlerts = z.infer<typeof ListAlerts>;

/** Time of opening and id of the last alert of the page before. */
const AlertCursor = z.tuple([z.iso.datetime(), z.uuid()]);

export const AlertBody = z.object({
  id: z.uuid(),
  rule: z.string(),
  subject: z.string(),
  severity: z.enum(SEVERITIES),
  summary: z.string(),
  state: z.enum(['open', 'resolved']),
  replica: z.string().nullable().describe('The process that it is about; null when it is about all.'),
  flapping: z
    .boolean()
    .describe('It came and went so often that it stays open until it has been quiet for 10 minutes.'),
  opened_at: z.iso.datetime(),
  last_seen_at: z.iso.datetime(),
  resolved_at: z.iso.datetime().nullable(),
  resolved_cause: z.string().nullable(),
});
export type AlertBody = z.infer<typeof AlertBody>;

export const AlertPage = pageOf(AlertBody).extend({
  source: z
    .enum(['database', 'memory'])
    .describe('memory: the database is away; these are the open alerts of the process that answers.'),
});
export type AlertPage = z.infer<typeof AlertPage>;

/** Asks for one alert more than a page has. */
export function toAlertQuery({ state, severity, limit, cursor }: ListAlerts): AlertQuery {
  const [openedAt, id] = cursor ? decodeCursor(cursor, AlertCursor) : [];
  return { state, severity, limit: limit + 1, after: openedAt && id ? { openedAt, id } : undefined };
}

export function cursorOfAlert({ openedAt, id }: Alert): [string, string] {
  return [openedAt.toISOString(), id];
}

export function toAlertBody(alert: Alert): AlertBody {
  return {
    id: alert.id,
    rule: alert.rule,
    subject: alert.subject,
    severity: alert.severity,
    summary: alert.summary,
    state: alert.resolvedAt ? 'resolved' : 'open',
    replica: alert.replica ?? null,
    flapping: alert.flapping,
    opened_at: alert.openedAt.toISOString(),
    last_seen_at: alert.lastSeenAt.toISOString(),
    resolved_at: alert.resolvedAt?.toISOString() ?? null,
    resolved_cause: alert.resolvedCause ?? null,
  };
}
