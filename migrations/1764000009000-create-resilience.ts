import type { MigrationInterface, QueryRunner } from 'typeorm';

const TABLES = ['resilience_override', 'alert', 'alert_delivery'];

/**
 * What operators ordered, what is wrong, and whom it has been told. All of it is about the installation: there is no
 * tenant, and only transactions with the scope `operator` see a row.
 */
export class CreateResilience1764000009000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    // One row for each policy, the last order: a new one takes the old one's place, and its version only grows.
    await q.query(`
      create table resilience_override (
        policy text primary key check (length(policy) between 1 and 200),
        version bigint not null check (version > 0),
        action text not null check (action in ('isolate', 'disable', 'shadow', 'close', 'reset', 'lift')),
        ordered_by uuid not null,
        reason text not null check (length(reason) <= 500),
        ticket text check (length(ticket) <= 100),
        ttl_seconds int check (ttl_seconds between 1 and 86400),
        ordered_at timestamptz not null default now(),
        expires_at timestamptz,
        check ((expires_at is not null) = (action in ('isolate', 'disable', 'shadow')))
      )`);

    await q.query(`
      create table alert (
        id uuid primary key,
        fingerprint text not null check (length(fingerprint) between 1 and 400),
        rule text not null,
        subject text not null,
        severity text not null check (severity in ('info', 'warning', 'error', 'critical')),
        summary text not null,
        replica text,
        flapping boolean not null default false,
        opened_at timestamptz not null,
        last_seen_at timestamptz not null,
        resolved_at timestamptz,
        resolved_cause text,
        check ((resolved_at is null) = (resolved_cause is null))
      )`);
    // Replicas that see the same thing share one alert.
    await q.query(`create unique index alert_active on alert (fingerprint) where resolved_at is null`);
    await q.query(`create index alert_time on alert (opened_at desc, id desc)`);

    await q.query(`
      create table alert_delivery (
        id uuid primary key,
        alert_id uuid not null references alert on delete cascade,
        body text not null,
        created_at timestamptz not null default now(),
        attempts int not null default 0,
        next_attempt_at timestamptz not null default now(),
        delivered_at timestamptz,
        given_up_at timestamptz,
        last_error text
      )`);
    await q.query(
      `create index alert_delivery_due on alert_delivery (next_attempt_at)
         where delivered_at is null and given_up_at is null`,
    );
    await q.query(`create index alert_delivery_alert on alert_delivery (alert_id)`);
    for (const table of TABLES) await restrictToOperators(q, table);
  }

  async down(q: QueryRunner): Promise<void> {
    for (const table of TABLES.toReversed()) await q.query(`drop table ${table}`);
  }
}

async function restrictToOperators(q: QueryRunner, table: string): Promise<void> {
  await q.query(`alter table ${table} enable row level security`);
  await q.query(`alter table ${table} force row level security`);
  await q.query(
    `create policy operator on ${table}
       using ((select app_scope()) = 'operator') with check ((select app_scope()) = 'operator')`,
  );
  await q.query(`grant select, insert, update, delete on ${table} to navigator_app`);
}
