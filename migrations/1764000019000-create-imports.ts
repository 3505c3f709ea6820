import type { MigrationInterface, QueryRunner } from 'typeorm';
import { isolateTenants } from './tenant-isolation.js';

/** Batches of files, archives and addresses that come in together. */
export class CreateImports1764000019000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    // `receiving_until` is set while a request still brings files; `rate_since` is from when the pace is measured.
    await q.query(`
      create table import_batch (
        tenant_id uuid not null references tenant (tenant_id) on delete cascade,
        id uuid not null,
        owner_id uuid not null,
        state text not null default 'running' check (state in ('running', 'paused', 'cancelled')),
        visibility text not null check (visibility in ('private', 'tenant')),
        collection text,
        tags text[] not null,
        priority smallint not null check (priority between -1 and 1),
        correlation_id text,
        receiving_until timestamptz,
        rate_since timestamptz not null default now(),
        created_at timestamptz not null default now(),
        finished_at timestamptz,
        primary key (tenant_id, id),
        foreign key (tenant_id, owner_id) references app_user (tenant_id, id) on delete cascade
      )`);
    await q.query(`create index import_batch_newest on import_batch (tenant_id, created_at desc, id desc)`);
    await q.query(`create index import_batch_open on import_batch (tenant_id) where finished_at is null`);
    await isolateTenants(q, 'import_batch');

    // `archive_sha256` is the file in which an entry stands, and which must stay until the entry is unpacked.
    await q.query(`
      create table import_item (
        tenant_id uuid not null,
        batch_id uuid not null,
        ordinal int not null check (ordinal >= 0),
        kind text not null check (kind in ('file', 'archive', 'entry', 'url')),
        name text not null check (length(name) <= 1000),
        url text check (length(url) <= 2000),
        archive_sha256 bytea,
        entry_index int,
        state text not null default 'waiting'
          check (state in ('waiting', 'running', 'accepted', 'refused', 'cancelled')),
        document_id uuid,
        is_repeat boolean not null default false,
        reason_code text,
        reason_detail text check (length(reason_detail) <= 500),
        size_bytes bigint,
        attempts int not null default 0,
        run_at timestamptz not null default now(),
        claimed_at timestamptz,
        claim_id uuid,
        worker_id text,
        lease_until timestamptz,
        settled_at timestamptz,
        primary key (tenant_id, batch_id, ordinal),
        foreign key (tenant_id, batch_id) references import_batch (tenant_id, id) on delete cascade,
        foreign key (tenant_id, document_id) references document (tenant_id, id)
          on delete set null (document_id),
        check ((state = 'running') = (claim_id is not null and worker_id is not null and lease_until is not null)),
        check ((state = 'refused') = (reason_code is not null)),
        check ((kind = 'url') = (url is not null)),
        check ((kind in ('archive', 'entry')) = (archive_sha256 is not null)),
        check ((kind = 'entry') = (entry_index is not null))
      )`);
    await q.query(
      `create index import_item_waiting on import_item (tenant_id, run_at, ordinal) where state = 'waiting'`,
    );
    await q.query(`create index import_item_running on import_item (tenant_id) where state = 'running'`);
    await q.query(`create index import_item_last_claim on import_item (tenant_id, claimed_at)
                     where claimed_at is not null`);
    await q.query(`create index import_item_document on import_item (tenant_id, document_id)
                     where document_id is not null`);
    await q.query(`create index import_item_archive on import_item (tenant_id, archive_sha256)
                     where archive_sha256 is not null and state in ('waiting', 'running')`);
    await isolateTenants(q, 'import_item');

    // A worker sees what waits of all tenants, as it does with jobs, and removes what has been over for long.
    for (const [table, command] of [
      ['import_item', 'select'],
      ['import_item', 'update'],
      ['import_batch', 'select'],
      ['import_batch', 'update'],
      ['import_batch', 'delete'],
    ])
      await q.query(
        `create policy worker_${command} on ${table} for ${command} using ((select app_scope()) = 'worker')`,
      );
  }

  async down(q: QueryRunner): Promise<void> {
    await q.query(`drop table import_item`);
    await q.query(`drop table import_batch`);
  }
}
