import type { MigrationInterface, QueryRunner } from 'typeorm';
import { isolateTenants } from './tenant-isolation.js';

/**
 * Indexes for what the audit log is asked. Under row-level security PostgreSQL uses an index only for operators that
 * cannot leak what they see: comparisons of texts, numbers and ids, but none of JSON. So targets have a table of their own, with
 * eight bytes of digest for each, which whoever finds something by it checks against the event.
 *
 * Prefixes are ranges in the collation "C" only, whatever that of the database is.
 */
export class FindAuditEvents1764000028500 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    await q.query(
      `create index audit_event_kind on audit_event
         (tenant_id, category collate "C", action collate "C", occurred_at desc, id desc)`,
    );
    await q.query(
      `create index audit_event_request on audit_event (tenant_id, request_id) where request_id is not null`,
    );
    await q.query(
      `create index audit_event_refused on audit_event (tenant_id, outcome, occurred_at desc, id desc)
         where outcome <> 'success'`,
    );
    await q.query(`
      create table audit_target (
        tenant_id uuid not null,
        digest bigint not null,
        occurred_at timestamptz not null,
        event_id uuid not null,
        primary key (tenant_id, digest, occurred_at, event_id)
      )`);
    await noteTargets(q);
    await noteTargetsOfBefore(q);
    await isolateTenants(q, 'audit_target');
    // The log itself is written by a scope that sees all tenants.
    await q.query(
      `create policy auditor_insert on audit_target for insert with check ((select app_scope()) = 'auditor')`,
    );
    await q.query(`revoke update, delete, truncate on audit_target from navigator_app`);
  }

  async down(q: QueryRunner): Promise<void> {
    await q.query(`drop trigger note_targets on audit_event`);
    await q.query(`drop trigger forget_targets on audit_event`);
    for (const each of ['note_audit_targets', 'forget_audit_targets'])
      await q.query(`drop function ${each}()`);
    await q.query(`drop table audit_target`);
    for (const index of ['refused', 'request', 'kind']) await q.query(`drop index audit_event_${index}`);
  }
}

/** Once for each statement, not for each row: events are written many at a time. An event may name a target twice. */
async function noteTargets(q: QueryRunner): Promise<void> {
  await q.query(`
    create function note_audit_targets() returns trigger language plpgsql as $$
    begin
      insert into audit_target (tenant_id, digest, occurred_at, event_id)
      ${targetsOf('added')};
      return null;
    end $$`);
  await q.query(`
    create trigger note_targets after insert on audit_event referencing new table as added
      for each statement execute function note_audit_targets()`);
  // Whoever may remove events at all may remove this.
  await q.query(`
    create function forget_audit_targets() returns trigger language plpgsql
      security definer set search_path = pg_catalog, public as $$
    begin
      delete from audit_target t using gone g
      where t.tenant_id = g.tenant_id and t.event_id = g.id and t.occurred_at = g.occurred_at
        and t.digest in (select hashtextextended(target->>'id', 0) from jsonb_array_elements(g.targets) as a (target));
      return null;
    end $$`);
  await q.query(`
    create trigger forget_targets after delete on audit_event referencing old table as gone
      for each statement execute function forget_audit_targets()`);
}

/** The owner may be subject to row-level security himself; it is back before anybody else sees the table. */
async function noteTargetsOfBefore(q: QueryRunner): Promise<void> {
  await q.query(`alter table audit_event no force row level security`);
  await q.query(
    `insert into audit_target (tenant_id, digest, occurred_at, event_id) ${targetsOf('audit_event')}`,
  );
  await q.query(`alter table audit_event force row level security`);
}

const targetsOf = (events: string) => `
  select distinct e.tenant_id, hashtextextended(a.target->>'id', 0), e.occurred_at, e.id
  from ${events} e cross join lateral jsonb_array_elements(e.targets) as a (target)
  where a.target->>'id' is not null`;
