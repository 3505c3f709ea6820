import { z } from 'zod';
import type { AuditLine } from '#libs/audit';
import { type AuditEventItem, ListAuditEvents } from '../audit-events.dto.js';
import { bodyOf } from '../exports/audit-line.js';

const { cursor: _, limit: __, order: ___, from: ____, to: _____, ...filters } = ListAuditEvents.shape;

export const StreamAudit = z.strictObject({
  ...filters,
  after: z.coerce
    .number()
    .int()
    .min(-1)
    .max(Number.MAX_SAFE_INTEGER)
    .optional()
    .describe(
      'Place (`leaf_index`) of the last event that is known; -1 for all there are. Unset: what comes from now on.',
    ),
});
export type StreamAudit = z.infer<typeof StreamAudit>;

/** `Last-Event-ID` of a client that connects again goes before what its address says. */
export function positionOf({ after }: StreamAudit, lastEventId: string | undefined): number | undefined {
  return /^\d{1,15}$/.test(lastEventId ?? '') ? Number(lastEventId) : after;
}

export function toStreamedEvent(
  line: AuditLine,
): Omit<AuditEventItem, 'personal'> & { leaf_index: number | null } {
  const { id, occurred_at, action, category, actor, targets, outcome, reason, ...body } = bodyOf(line);
  const { request_id, route, context, detail } = body;
  return {
    id,
    occurred_at,
    action,
    category: category as AuditEventItem['category'],
    actor: actor as AuditEventItem['actor'],
    targets,
    outcome,
    reason,
    request_id,
    route,
    context: context as AuditEventItem['context'],
    detail: detail as AuditEventItem['detail'],
    leaf_index: line.leafIndex,
  };
}
