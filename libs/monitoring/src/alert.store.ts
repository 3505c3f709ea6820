import type { EntityManager } from 'typeorm';
import { uuidv5 } from '#libs/database';
import type { Alert, AlertTransition, Severity } from './alert.js';

export interface AlertQuery {
  state: 'open' | 'resolved' | 'all';
  severity?: Severity;
  /** The last alert of the page before. */
  after?: { openedAt: string; id: string };
  limit: number;
}

/** A message to whoever wants to hear of alerts. The same transition always has the same id. */
export interface Delivery {
  id: string;
  body: string;
}

export interface DueDelivery extends Delivery {
  /** Counting the one that is due. */
  attempt: number;
}

/** The newest first. */
export async function listAlerts(tx: EntityManager, query: AlertQuery): Promise<Alert[]> {
  const { state, severity = null, after, limit } = query;
  const rows = (await tx.query(
    `select ${COLUMNS} from alert
     where ($1 = 'all' or (resolved_at is null) = ($1 = 'open'))
       and ($2::text is null or severity = $2)
       and ($3::timestamptz is null or (opened_at, id) < ($3, $4::uuid))
     order by opened_at desc, id desc limit $5`,
    [state, severity, after?.openedAt ?? null, after?.id ?? null, limit],
  )) as AlertRow[];
  return rows.map(toAlert);
}

/** What is open and is about this replica or about all. */
export async function listOpenOf(tx: EntityManager, replica: string): Promise<Alert[]> {
  const rows = (await tx.query(
    `select ${COLUMNS} from alert where resolved_at is null and (replica is null or replica = $1)`,
    [replica],
  )) as AlertRow[];
  return rows.map(toAlert);
}

/**
 * Writes an alert that is open; one with its fingerprint that is there already is the same alert.
 *
 * @returns the id that it has, and whether it is new
 */
export async function saveOpen(tx: EntityManager, alert: Alert): Promise<{ id: string; isNew: boolean }> {
  const [row] = (await tx.query(
    `insert into alert (id, fingerprint, rule, subject, severity, summary, replica, flapping, opened_at, last_seen_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
     on conflict (fingerprint) where resolved_at is null do update
       set last_seen_at = greatest(alert.last_seen_at, excluded.last_seen_at),
           severity = excluded.severity, summary = excluded.summary
     returning id, xmax = 0 as is_new`,
    [
      alert.id,
      alert.fingerprint,
      alert.rule,
      alert.subject,
      alert.severity,
      alert.summary,
      alert.replica ?? null,
      alert.flapping,
      alert.openedAt,
      alert.lastSeenAt,
    ],
  )) as { id: string; is_new: boolean }[];
  return { id: row!.id, isNew: row!.is_new };
}

/** @returns false when somebody else has resolved it already */
export async function saveResolved(tx: EntityManager, alert: Alert): Promise<boolean> {
  const [rows] = (await tx.query(
    `update alert set resolved_at = $2, resolved_cause = $3, last_seen_at = $4
     where id = $1 and resolved_at is null returning id`,
    [alert.id, alert.resolvedAt, alert.resolvedCause, alert.lastSeenAt],
  )) as [unknown[], number];
  return rows.length > 0;
}

/** Resolves what nobody has seen for so long: whoever opened it is gone. */
export async function resolveOrphans(tx: EntityManager, unseenMs: number, cause: string): Promise<Alert[]> {
  const [rows] = (await tx.query(
    `update alert set resolved_at = now(), resolved_cause = $2
     where resolved_at is null and last_seen_at < now() - make_interval(secs => $1::float / 1000)
     returning ${COLUMNS}`,
    [unseenMs, cause],
  )) as [AlertRow[], number];
  return rows.map(toAlert);
}

export async function deleteResolvedBefore(tx: EntityManager, days: number): Promise<void> {
  await tx.query(
    `delete from alert where opened_at < now() - make_interval(days => $1::int)
       and resolved_at < now() - make_interval(days => $1::int)`,
    [days],
  );
}

export function deliveryOf(alert: Alert, transition: AlertTransition): Delivery {
  const at = transition === 'opened' ? alert.openedAt : alert.resolvedAt!;
  const body = JSON.stringify({
    type: `alert.${transition}`,
    timestamp: at.toISOString(),
    data: {
      id: alert.id,
      fingerprint: alert.fingerprint,
      rule: alert.rule,
      subject: alert.subject,
      severity: alert.severity,
      summary: alert.summary,
      replica: alert.replica ?? null,
      flapping: alert.flapping,
      opened_at: alert.openedAt.toISOString(),
      resolved_at: alert.resolvedAt?.toISOString() ?? null,
      resolved_cause: alert.resolvedCause ?? null,
    },
  });
  return { id: uuidv5(alert.id, transition), body };
}

export async function saveDelivery(
  tx: EntityManager,
  alertId: string,
  { id, body }: Delivery,
  deliveredAt?: Date,
): Promise<void> {
  await tx.query(
    `insert into alert_delivery (id, alert_id, body, delivered_at) values ($1, $2, $3, $4)
     on conflict (id) do nothing`,
    [id, alertId, body, deliveredAt ?? null],
  );
}

/** Takes deliveries for `leaseMs`: whoever takes them and dies leaves them to the others. */
export async function claimDeliveries(
  tx: EntityManager,
  most: number,
  leaseMs: number,
): Promise<DueDelivery[]> {
  const [rows] = (await tx.query(
    `update alert_delivery set attempts = attempts + 1,
            next_attempt_at = now() + make_interval(secs => $2::float / 1000)
     where id in (select id from alert_delivery
                  where delivered_at is null and given_up_at is null and next_attempt_at <= now()
                  order by created_at limit $1 for update skip locked)
     returning id, body, attempts`,
    [most, leaseMs],
  )) as [{ id: string; body: string; attempts: number }[], number];
  return rows.map(({ id, body, attempts }) => ({ id, body, attempt: attempts }));
}

export async function markDelivered(tx: EntityManager, id: string): Promise<void> {
  await tx.query(`update alert_delivery set delivered_at = now(), last_error = null where id = $1`, [id]);
}

/** @param retryMs when to try again; undefined: never */
export async function markFailed(
  tx: EntityManager,
  id: string,
  error: string,
  retryMs: number | undefined,
): Promise<void> {
  await tx.query(
    `update alert_delivery set last_error = $2,
            next_attempt_at = now() + make_interval(secs => coalesce($3::float, 0) / 1000),
            given_up_at = case when $3::float is null then now() end
     where id = $1`,
    [id, error, retryMs ?? null],
  );
}

interface AlertRow {
  id: string;
  fingerprint: string;
  rule: string;
  subject: string;
  severity: Severity;
  summary: string;
  replica: string | null;
  flapping: boolean;
  opened_at: Date;
  last_seen_at: Date;
  resolved_at: Date | null;
  resolved_cause: string | null;
}

function toAlert(row: AlertRow): Alert {
  return {
    id: row.id,
    fingerprint: row.fingerprint,
    rule: row.rule,
    subject: row.subject,
    severity: row.severity,
    summary: row.summary,
    replica: row.replica ?? undefined,
    flapping: row.flapping,
    openedAt: row.opened_at,
    lastSeenAt: row.last_seen_at,
    resolvedAt: row.resolved_at ?? undefined,
    resolvedCause: row.resolved_cause ?? undefined,
  };
}

const COLUMNS = `id, fingerprint, rule, subject, severity, summary, replica, flapping, opened_at, last_seen_at,
                 resolved_at, resolved_cause`;
