import type { EntityManager } from 'typeorm';
import { MODE_OF, type NewOrder, type Order, type OrderAction } from './order.js';
import { OrderOutdated } from './resilience.errors.js';

/** Sent when an order commits, and only ever wakes somebody who would look by himself a little later. */
export const ORDERS_CHANNEL = 'resilience_override';

/** The last order for each policy. */
export async function listOrders(tx: EntityManager): Promise<Order[]> {
  const rows = (await tx.query(`select ${COLUMNS} from resilience_override`)) as OrderRow[];
  return rows.map(toOrder);
}

/**
 * Takes an order for the fleet. The same override again, by the same operator and while it is in force, is the same
 * order: nothing changes, its end included.
 *
 * @throws OrderOutdated
 */
export async function saveOrder(
  tx: EntityManager,
  by: string,
  order: NewOrder,
): Promise<{ order: Order; changed: boolean }> {
  const { policy, action, reason, ticket = null, ttlSeconds, ifVersion } = order;
  // Also where there is no row to lock yet.
  await tx.query(`select pg_advisory_xact_lock(hashtextextended('resilience_override ' || $1, 0))`, [policy]);
  const [last] = (await tx.query(LAST, [policy, action, by, reason, ticket, ttlSeconds])) as LastRow[];
  const version = Number(last?.version ?? 0);
  if (ifVersion !== undefined && ifVersion !== version) throw new OrderOutdated(version);
  if (last?.is_same) return { order: toOrder(last), changed: false };

  const ttl = MODE_OF[action] ? ttlSeconds : null;
  const [saved] = (await tx.query(SAVE, [policy, action, by, reason, ticket, ttl])) as OrderRow[];
  await tx.query('select pg_notify($1, $2)', [ORDERS_CHANNEL, '']);
  return { order: toOrder(saved!), changed: true };
}

interface OrderRow {
  policy: string;
  version: string;
  action: OrderAction;
  ordered_by: string;
  reason: string;
  ticket: string | null;
  ordered_at: Date;
  expires_at: Date | null;
}
type LastRow = OrderRow & { is_same: boolean };

function toOrder(row: OrderRow): Order {
  return {
    policy: row.policy,
    action: row.action,
    scope: 'fleet',
    version: Number(row.version),
    by: row.ordered_by,
    reason: row.reason,
    ticket: row.ticket ?? undefined,
    at: row.ordered_at,
    expiresAt: row.expires_at ?? undefined,
  };
}

const COLUMNS = 'policy, version, action, ordered_by, reason, ticket, ordered_at, expires_at';

const LAST = `
  select ${COLUMNS}, coalesce(expires_at > now(), false) and action = $2 and ordered_by = $3 and reason = $4
                     and ticket is not distinct from $5 and ttl_seconds = $6 as is_same
  from resilience_override where policy = $1`;

const SAVE = `
  insert into resilience_override (policy, version, action, ordered_by, reason, ticket, ttl_seconds, expires_at)
  values ($1, 1, $2, $3, $4, $5, $6::int, now() + make_interval(secs => $6::int))
  on conflict (policy) do update set
    version = resilience_override.version + 1, action = excluded.action, ordered_by = excluded.ordered_by,
    reason = excluded.reason, ticket = excluded.ticket, ttl_seconds = excluded.ttl_seconds,
    ordered_at = now(), expires_at = excluded.expires_at
  returning ${COLUMNS}`;
