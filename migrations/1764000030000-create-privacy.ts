import type { MigrationInterface, QueryRunner } from 'typeorm';
import { isolateTenants } from './tenant-isolation.js';

/** What an erasure and the deletion of a tenant have in common: when it runs, how far it is, and who is at it. */
const RUN = `
  was_suspended boolean not null,
  state text not null default 'waiting' check (state in ('waiting', 'running', 'done', 'cancelled')),
  run_at timestamptz not null,
  counts jsonb not null default '{}' check (jsonb_typeof(counts) = 'object'),
  lease_until timestamptz,
  lease_token uuid,
  created_at timestamptz not null default now(),
  finished_at timestamptz,
  check ((state in ('done', 'cancelled')) = (finished_at is not null)),
  check ((lease_until is null) = (lease_token is null))`;

/** Erasures of people and deletions of tenants, with the receipt that each leaves. */
export class CreatePrivacy1764000030000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    // Who is about to be erased must not be let in again by somebody who does not know.
    await q.query(
      `alter table app_user add column erasing_at timestamptz,
         add constraint app_user_erasing check (erasing_at is null or disabled_at is not null)`,
    );
    await this.createErasures(q);
    await this.createDeletions(q);
  }

  /** A receipt names nobody: `user_id` is there only until it is done. */
  private async createErasures(q: QueryRunner): Promise<void> {
    await q.query(`
      create table erasure (
        tenant_id uuid not null references tenant on delete cascade,
        id uuid not null,
        user_id uuid,
        requested_by uuid,
        heir_id uuid,
        shared_documents text not null check (shared_documents in ('transfer', 'delete')),
        ${RUN},
        primary key (tenant_id, id),
        check ((user_id is null) = (state = 'done'))
      )`);
    await q.query(
      `create unique index erasure_open on erasure (tenant_id, user_id) where state in ('waiting', 'running')`,
    );
    await q.query(`create index erasure_due on erasure (run_at) where state in ('waiting', 'running')`);
    await isolateTenants(q, 'erasure');
    for (const command of ['select', 'update'])
      await q.query(
        `create policy worker_${command} on erasure for ${command} using ((select app_scope()) = 'worker')`,
      );

    // `visibility` is what the document goes back to when the erasure is cancelled. Kept after its document is gone, by
    // when answers that cite it have to be found.
    await q.query(`
      create table erasure_document (
        tenant_id uuid not null,
        erasure_id uuid not null,
        document_id uuid not null,
        visibility text not null,
        removed boolean not null default false,
        primary key (tenant_id, erasure_id, document_id),
        foreign key (tenant_id, erasure_id) references erasure on delete cascade
      )`);
    await isolateTenants(q, 'erasure_document');
    // Files whose rows are gone. A crash in between must not leave them.
    await q.query(`
      create table erasure_file (
        tenant_id uuid not null,
        erasure_id uuid not null,
        sha256 bytea not null check (length(sha256) = 32),
        primary key (tenant_id, erasure_id, sha256),
        foreign key (tenant_id, erasure_id) references erasure on delete cascade
      )`);
    await isolateTenants(q, 'erasure_file');
  }

  /** They outlive their tenant, whose id is not given out again: its part of the audit log stays. */
  private async createDeletions(q: QueryRunner): Promise<void> {
    await q.query(`
      create table tenant_deletion (
        id uuid primary key,
        tenant_id uuid not null,
        requested_by uuid not null,
        ${RUN}
      )`);
    await q.query(
      `create unique index tenant_deletion_open on tenant_deletion (tenant_id) where state <> 'cancelled'`,
    );
    await q.query(
      `create index tenant_deletion_due on tenant_deletion (run_at) where state in ('waiting', 'running')`,
    );
    await q.query(`alter table tenant_deletion enable row level security`);
    await q.query(`alter table tenant_deletion force row level security`);
    await q.query(`grant select, insert, update, delete on tenant_deletion to navigator_app`);
    await q.query(
      `create policy operator on tenant_deletion
         using ((select app_scope()) = 'operator') with check ((select app_scope()) = 'operator')`,
    );
    await q.query(
      `create policy tenant_select on tenant_deletion for select using (tenant_id = (select app_tenant()))`,
    );
    for (const command of ['select', 'update'])
      await q.query(
        `create policy worker_${command} on tenant_deletion for ${command}
           using ((select app_scope()) = 'worker')`,
      );
  }

  async down(q: QueryRunner): Promise<void> {
    await q.query(`drop table tenant_deletion`);
    await q.query(`drop table erasure_file`);
    await q.query(`drop table erasure_document`);
    await q.query(`drop table erasure`);
    await q.query(`alter table app_user drop constraint app_user_erasing, drop column erasing_at`);
  }
}
