import type { MigrationInterface, QueryRunner } from 'typeorm';
import { isolateTenants } from './tenant-isolation.js';

const INSTALLATION = '00000000-0000-0000-0000-000000000000';

/**
 * The audit log. It has no foreign keys, because it outlives what it tells of. Nobody changes it: the application
 * may only insert and select, and a trigger refuses everything else even to the owner, also where triggers are
 * switched off for replication.
 */
export class CreateAudit1764000003000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    await q.query(`
      create table audit_event (
        tenant_id uuid not null,
        id uuid not null,
        occurred_at timestamptz not null default clock_timestamp(),
        action text not null check (length(action) between 1 and 100),
        category text not null
          check (category in ('auth', 'data.read', 'data.write', 'admin', 'security', 'system')),
        actor_type text not null check (actor_type in ('user', 'api-key', 'system', 'anonymous')),
        actor_id uuid,
        actor_role text,
        credential_id uuid,
        targets jsonb not null default '[]' check (jsonb_typeof(targets) = 'array'),
        outcome text not null check (outcome in ('success', 'denied', 'failure')),
        reason text,
        request_id text,
        route text,
        context jsonb not null default '{}' check (jsonb_typeof(context) = 'object'),
        detail jsonb not null default '{}' check (jsonb_typeof(detail) = 'object'),
        primary key (tenant_id, id)
      )`);
    await q.query(`create index audit_event_time on audit_event (tenant_id, occurred_at desc, id desc)`);
    await q.query(
      `create index audit_event_actor on audit_event (tenant_id, actor_id, occurred_at desc, id desc)`,
    );
    await isolateTenants(q, 'audit_event');
    await q.query(`revoke update, delete, truncate on audit_event from navigator_app`);
    await appendOnly(q);
    // Its events stand under this id, so no tenant may have it.
    await q.query(
      `alter table tenant add constraint tenant_is_not_the_installation check (tenant_id <> '${INSTALLATION}')`,
    );
  }

  async down(q: QueryRunner): Promise<void> {
    await q.query(`alter table tenant drop constraint tenant_is_not_the_installation`);
    await q.query(`drop table audit_event`);
    await q.query(`drop function refuse_change_of_audit()`);
  }
}

/** Per statement, so that even a change that would hit no row is refused. */
async function appendOnly(q: QueryRunner): Promise<void> {
  await q.query(`
    create function refuse_change_of_audit() returns trigger language plpgsql as $$
    begin
      raise exception 'the audit log is append-only' using errcode = 'insufficient_privilege';
    end $$`);
  await q.query(`
    create trigger append_only before update or delete or truncate on audit_event
      for each statement execute function refuse_change_of_audit()`);
  await q.query(`alter table audit_event enable always trigger append_only`);
}
