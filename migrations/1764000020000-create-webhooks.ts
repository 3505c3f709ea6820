import type { MigrationInterface, QueryRunner } from 'typeorm';
import { isolateTenants } from './tenant-isolation.js';

/** Where tenants want to be told how their documents end, and what is on its way there. */
export class CreateWebhooks1764000020000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    await q.query(`
      create table webhook_endpoint (
        tenant_id uuid not null,
        id uuid not null,
        url text not null check (length(url) between 8 and 2000),
        events text[] not null check (cardinality(events) between 1 and 20),
        description text check (length(description) <= 500),
        secret bytea not null,
        disabled_reason text,
        created_by uuid not null,
        created_at timestamptz not null default now(),
        primary key (tenant_id, id)
      )`);
    await q.query(`
      create table webhook_delivery (
        tenant_id uuid not null,
        id uuid not null default gen_random_uuid(),
        endpoint_id uuid not null,
        event text not null,
        body text not null,
        state text not null default 'waiting' check (state in ('waiting', 'delivered', 'given_up')),
        attempts int not null default 0,
        next_attempt_at timestamptz not null default now(),
        last_status int,
        last_error text,
        created_at timestamptz not null default clock_timestamp(),
        delivered_at timestamptz,
        primary key (tenant_id, id),
        foreign key (tenant_id, endpoint_id) references webhook_endpoint (tenant_id, id) on delete cascade
      )`);
    await q.query(
      `create index webhook_delivery_due on webhook_delivery (next_attempt_at) where state = 'waiting'`,
    );
    await q.query(
      `create index webhook_delivery_newest on webhook_delivery (tenant_id, endpoint_id, created_at desc, id desc)`,
    );
    for (const table of ['webhook_endpoint', 'webhook_delivery']) await isolateTenants(q, table);
    await q.query(
      `create policy worker_select on webhook_endpoint for select using ((select app_scope()) = 'worker')`,
    );
    for (const command of ['select', 'update', 'delete'])
      await q.query(
        `create policy worker_${command} on webhook_delivery for ${command} using ((select app_scope()) = 'worker')`,
      );
    await this.tellOfDocuments(q);
  }

  /** In the transaction that ends the document, whoever ends it, so that no end is missed and none is told twice. */
  private async tellOfDocuments(q: QueryRunner): Promise<void> {
    await q.query(`
      create function tell_of_document() returns trigger language plpgsql as $$
      begin
        insert into webhook_delivery (tenant_id, endpoint_id, event, body)
        select e.tenant_id, e.id, 'document.' || new.status,
               jsonb_build_object(
                 'type', 'document.' || new.status,
                 'timestamp', to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
                 'data', jsonb_build_object(
                   'document_id', new.id, 'owner_id', new.owner_id, 'collection', new.collection,
                   'status', new.status, 'answerable', new.answerable, 'pages', new.page_count,
                   'passages', new.passage_count, 'reason_code', new.reason_code))::text
        from webhook_endpoint e
        where e.tenant_id = new.tenant_id and e.disabled_reason is null
          and 'document.' || new.status = any (e.events);
        return null;
      end $$`);
    await q.query(`
      create trigger tell_of_document after update of status on document
        for each row when (new.status is distinct from old.status
                           and new.status in ('ready', 'failed', 'needs_review'))
        execute function tell_of_document()`);
  }

  async down(q: QueryRunner): Promise<void> {
    await q.query(`drop trigger tell_of_document on document`);
    await q.query(`drop function tell_of_document()`);
    await q.query(`drop table webhook_delivery`);
    await q.query(`drop table webhook_endpoint`);
  }
}
