import { z } from 'zod';
import { cursorQuery, pageOf } from '#libs/http';
import {
  CAPABILITIES,
  type DegradationRegistry,
  LEVELS,
  type Policy,
  type PolicyEvent,
} from '#libs/resilience';
import {
  MODE_OF,
  type NewOrder,
  type Order,
  ORDER_ACTIONS,
  ORDER_SCOPES,
  type OrderAction,
} from './order.js';
import type { OrderTaken } from './resilience-overrides.js';
import { InvalidVersion } from './resilience.errors.js';

const STATES = ['closed', 'open', 'half-open', 'isolated', 'disabled', 'metrics-only'] as const;
const MODES = ['isolated', 'disabled', 'metrics-only'] as const;
const LONGEST_TTL_SECONDS = 86_400;

export const PolicyName = z.string().min(1).max(200);

const reason = z.string().trim().min(1).max(500);
const ticket = z.string().trim().min(1).max(100).optional();
const scope = z
  .enum(ORDER_SCOPES)
  .default('fleet')
  .describe('fleet: every process, also after a restart; replica: only the one that answers, until it ends.');

/** An override, for a time. */
export const OverridePolicy = z.strictObject({
  reason,
  ticket,
  scope,
  ttl_seconds: z
    .int()
    .min(1)
    .max(LONGEST_TTL_SECONDS)
    .default(900)
    .describe('The override ends by itself after this.'),
});
export type OverridePolicy = z.infer<typeof OverridePolicy>;

/** Done once, and ends an override. */
export const CommandPolicy = z.strictObject({ reason, ticket, scope });
export type CommandPolicy = z.infer<typeof CommandPolicy>;

export const LiftOverride = z
  .strictObject({ reason: reason.default('lifted'), ticket, scope })
  .prefault({})
  .describe('May be left out.');
export type LiftOverride = z.infer<typeof LiftOverride>;

export const ListPolicyEvents = z.strictObject({ ...cursorQuery });
export type ListPolicyEvents = z.infer<typeof ListPolicyEvents>;

/** The id of the last event of the page before. */
export const EventCursor = z.tuple([z.int().min(0)]);

const EventBody = z.object({
  id: z.int().describe('Of this process; grows by one.'),
  at: z.iso.datetime(),
  policy: z.string(),
  type: z.string(),
  from: z.string().optional(),
  to: z.string().optional(),
  detail: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
});
export const PolicyEventPage = pageOf(EventBody);
export type PolicyEventPage = z.infer<typeof PolicyEventPage>;

const OrderBody = z.object({
  action: z.enum(ORDER_ACTIONS),
  scope: z.enum(ORDER_SCOPES),
  mode: z.enum(MODES).nullable().describe('null for what is done once.'),
  ordered_by: z.string(),
  reason: z.string(),
  ticket: z.string().nullable(),
  ordered_at: z.iso.datetime(),
  expires_at: z.iso.datetime().nullable(),
});
type OrderBody = z.infer<typeof OrderBody>;

export const OrderTakenBody = OrderBody.extend({
  policy: z.string(),
  version: z.int(),
  changed: z.boolean().describe('False when the same override was in force already.'),
  audit_record: z
    .enum(['log', 'disk'])
    .describe('disk: the database is away; the record is on the disk of this machine until it is back.'),
});
export type OrderTakenBody = z.infer<typeof OrderTakenBody>;

export const PolicyBody = z.object({
  name: z.string(),
  version: z.int().describe('Of the orders to this policy; for If-Match.'),
  state: z.enum(STATES),
  since: z.iso.datetime(),
  retry_after_ms: z.number().nullable(),
  override: OrderBody.nullable().describe('What is in force in this process.'),
  last_order: OrderBody.nullable().describe('The last order to the fleet.'),
  pipeline: z.array(z.string()).describe('The strategies, the outermost first.'),
  window: z.object({
    calls: z.number(),
    failures: z.number(),
    slow: z.number(),
    failure_ratio: z.number(),
    slow_ratio: z.number(),
  }),
  permits: z.object({ in_use: z.number(), limit: z.number(), queued: z.number() }).nullable(),
  retry_budget_left: z.number().nullable(),
  latency: z.object({ p50_ms: z.number().nullable(), p95_ms: z.number().nullable() }),
  options: z.record(z.string(), z.unknown()).describe('As they are written in RESILIENCE_FILE.'),
  last_transitions: z.array(EventBody),
});
export type PolicyBody = z.infer<typeof PolicyBody>;

export const CapabilityBody = z.object({
  capability: z.enum(CAPABILITIES),
  level: z.enum(LEVELS),
  since: z.iso.datetime(),
  reasons: z.array(z.string()),
});
export type CapabilityBody = z.infer<typeof CapabilityBody>;

export const ResilienceBody = z.object({
  version: z.int().describe('Grows with every order to the fleet.'),
  fleet_reached: z.boolean().describe('False while the orders to the fleet cannot be read.'),
  level: z.enum(LEVELS),
  capabilities: z.array(CapabilityBody),
  policies: z.array(PolicyBody),
});
export type ResilienceBody = z.infer<typeof ResilienceBody>;

export function toNewOrder(
  policy: string,
  action: OrderAction,
  body: CommandPolicy & { ttl_seconds?: number },
  ifMatch: string | undefined,
): NewOrder {
  const { reason, ticket, scope, ttl_seconds: ttlSeconds = 0 } = body;
  return { policy, action, reason, ticket, scope, ttlSeconds, ifVersion: versionIn(ifMatch) };
}

export function etagOf(version: number): string {
  return `"${version}"`;
}

export function toOrderTakenBody({ order, changed, recorded }: OrderTaken): OrderTakenBody {
  const { policy, version } = order;
  return { policy, version, ...toOrderBody(order), changed, audit_record: recorded };
}

export function toPolicyBody(policy: Policy, orders: { fleet?: Order; inForce?: Order }): PolicyBody {
  const {
    name,
    state,
    since,
    retryAfterMs,
    options,
    pipeline,
    window,
    permits,
    retryBudgetLeft,
    latency,
    lastTransitions,
  } = policy.describe();
  return {
    name,
    version: orders.fleet?.version ?? 0,
    state,
    since,
    retry_after_ms: retryAfterMs ?? null,
    override: orders.inForce ? toOrderBody(orders.inForce) : null,
    last_order: orders.fleet ? toOrderBody(orders.fleet) : null,
    pipeline,
    window: {
      calls: window.calls,
      failures: window.failures,
      slow: window.slow,
      failure_ratio: window.failureRatio,
      slow_ratio: window.slowRatio,
    },
    permits: permits ? { in_use: permits.inUse, limit: permits.limit, queued: permits.queued } : null,
    retry_budget_left: retryBudgetLeft ?? null,
    latency: { p50_ms: latency.p50Ms ?? null, p95_ms: latency.p95Ms ?? null },
    options: { ...options },
    last_transitions: lastTransitions.map(toEventBody),
  };
}

export function toCapabilities(degradation: DegradationRegistry): CapabilityBody[] {
  return degradation
    .list()
    .map(({ capability, level, since, reasons }) => ({ capability, level, since, reasons }));
}

export function toEventBody({
  id,
  at,
  policy,
  type,
  from,
  to,
  detail,
}: PolicyEvent): z.infer<typeof EventBody> {
  return { id, at, policy, type, from, to, detail };
}

function toOrderBody({ action, scope, by, reason, ticket, at, expiresAt }: Order): OrderBody {
  return {
    action,
    scope,
    mode: MODE_OF[action] ?? null,
    ordered_by: by,
    reason,
    ticket: ticket ?? null,
    ordered_at: at.toISOString(),
    expires_at: expiresAt?.toISOString() ?? null,
  };
}

/** @throws InvalidVersion unless it is an ETag of ours; `*` matches any */
function versionIn(ifMatch: string | undefined): number | undefined {
  if (ifMatch === undefined || ifMatch.trim() === '*') return undefined;
  const version = /^"?(\d{1,15})"?$/.exec(ifMatch.trim())?.[1];
  if (version === undefined) throw new InvalidVersion();
  return Number(version);
}
