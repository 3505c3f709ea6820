import { z } from 'zod';
import {
  type AuditEvent,
  type AuditFilter,
  type AuditQuery,
  canonicalId,
  type PersonalDatum,
} from '#libs/audit';
import { cursorQuery, decodeCursor, pageOf } from '#libs/http';
import { AuditProof } from './audit-proofs.dto.js';

const CATEGORIES = ['auth', 'data.read', 'data.write', 'admin', 'security', 'system'] as const;
const ACTOR_TYPES = ['user', 'api-key', 'system', 'anonymous'] as const;
const OUTCOMES = ['success', 'denied', 'failure'] as const;

/** PostgreSQL knows no year 0, and no zone that is sixteen hours or more away. */
const UNKNOWN = /^0000|[+-](1[6-9]|2\d):\d\d$/;
const moment = z.iso
  .datetime({ offset: true })
  .refine((text) => !UNKNOWN.test(text), 'is no time that can be asked for');

export const ListAuditEvents = z.strictObject({
  ...cursorQuery,
  from: moment.optional().describe('From this moment on.'),
  to: moment.optional().describe('Before this moment.'),
  action: z
    .string()
    .max(100)
    .regex(/^[a-z][a-z0-9.-]*\*?$|^\*$/)
    .optional()
    .describe('An action, or the beginning of one followed by *.'),
  actor_id: z.uuid().optional(),
  target_id: z.string().min(1).max(120).optional(),
  outcome: z.enum(OUTCOMES).optional(),
  category: z.enum(CATEGORIES).optional(),
  q: z
    .string()
    .min(2)
    .max(120)
    .optional()
    .describe('A part of the action, or the whole id of the event, its actor, a target or its request.'),
  request_id: z.string().min(1).max(64).optional(),
  order: z.enum(['asc', 'desc']).default('desc'),
  scope: z
    .enum(['tenant', 'installation'])
    .default('tenant')
    .describe(
      'installation: what belongs to no tenant, such as logins with unknown addresses; for operators.',
    ),
});
export type ListAuditEvents = z.infer<typeof ListAuditEvents>;

export const GetAuditEvent = z.strictObject({
  scope: ListAuditEvents.shape.scope,
  proof: z
    .enum(['true', 'false'])
    .default('false')
    .describe('Whether the answer also proves the event; a few seconds after it happened it can.'),
});
export type GetAuditEvent = z.infer<typeof GetAuditEvent>;

/** Time and id of the last event of the page before. */
const AuditCursor = z.tuple([moment, z.uuid()]);

export const AuditEventItem = z.object({
  id: z.uuid(),
  occurred_at: z.iso.datetime().describe('UTC, with microseconds.'),
  action: z.string(),
  category: z.enum(CATEGORIES),
  actor: z.object({
    type: z.enum(ACTOR_TYPES),
    id: z.uuid().nullable(),
    role: z.string().nullable(),
    credential_id: z.uuid().nullable(),
  }),
  targets: z.array(z.object({ type: z.string(), id: z.string() })),
  outcome: z.enum(OUTCOMES),
  reason: z.string().nullable(),
  request_id: z.string().nullable(),
  route: z.string().nullable(),
  context: z.record(z.string(), z.unknown()),
  detail: z.record(z.string(), z.unknown()),
  personal: z
    .array(
      z.object({
        field: z.enum(['client_address', 'login_email', 'user_agent']),
        state: z
          .enum(['shown', 'erased', 'altered'])
          .describe('altered: what is kept of it is not what the event committed to.'),
        value: z.string().nullable(),
        salt: z.string().nullable().describe('Base64.'),
        commitment: z
          .string()
          .describe('SHA-256 over salt and value, base64, as it stands in the proven text of the event.'),
      }),
    )
    .describe('From where it was done, and the address that was typed at a login, until they are erased.'),
});
export type AuditEventItem = z.infer<typeof AuditEventItem>;
export const ProvenAuditEvent = AuditEventItem.extend({ proof: AuditProof.optional() });
export type ProvenAuditEvent = z.infer<typeof ProvenAuditEvent>;
export const AuditEventPage = pageOf(AuditEventItem);
export type AuditEventPage = z.infer<typeof AuditEventPage>;

/** Asks for one event more than a page has. */
export function toAuditQuery({ cursor, limit, order, ...filter }: ListAuditEvents): AuditQuery {
  const [occurredAt, id] = cursor ? decodeCursor(cursor, AuditCursor) : [];
  const after = occurredAt && id ? { occurredAt, id } : undefined;
  return { ...toAuditFilter(filter), order, after, limit: limit + 1 };
}

export function toAuditFilter(
  query: Omit<ListAuditEvents, 'cursor' | 'limit' | 'order' | 'scope'>,
): AuditFilter {
  return {
    from: query.from,
    to: query.to,
    action: query.action,
    actorId: query.actor_id,
    targetId: query.target_id && canonicalId(query.target_id),
    outcome: query.outcome,
    category: query.category,
    text: query.q && canonicalId(query.q),
    requestId: query.request_id,
  };
}

export function cursorOfEvent({ occurredAt, id }: AuditEvent): [string, string] {
  return [occurredAt, id];
}

export function toAuditEventItem(event: AuditEvent & { personal: PersonalDatum[] }): AuditEventItem {
  const { actor } = event;
  return {
    id: event.id,
    occurred_at: event.occurredAt,
    action: event.action,
    category: event.category,
    actor: {
      type: actor.type,
      id: actor.id ?? null,
      role: actor.role ?? null,
      credential_id: actor.credentialId ?? null,
    },
    targets: event.targets,
    outcome: event.outcome,
    reason: event.reason,
    request_id: event.requestId,
    route: event.route,
    context: event.context,
    detail: event.detail,
    personal: event.personal.map(({ field, state, value = null, salt = null, commitment }) => ({
      field,
      state,
      value,
      salt,
      commitment,
    })),
  };
}
