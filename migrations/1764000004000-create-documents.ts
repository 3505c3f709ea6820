import type { MigrationInterface, QueryRunner } from 'typeorm';
import { isolateTenants } from './tenant-isolation.js';

/** Documents, and the queue that processes them: one job a document, one row for each stage of the job. */
export class CreateDocuments1764000004000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    await q.query(`
      create table document (
        tenant_id uuid not null,
        id uuid not null,
        owner_id uuid not null,
        visibility text not null default 'private' check (visibility in ('private', 'tenant')),
        collection text check (length(collection) between 1 and 100),
        tags text[] not null default '{}' check (cardinality(tags) <= 20),
        title text not null check (length(title) between 1 and 300),
        filename text not null check (length(filename) between 1 and 255),
        media_type text not null,
        size_bytes bigint not null check (size_bytes > 0),
        sha256 bytea not null check (length(sha256) = 32),
        status text not null default 'queued' check (status in ('queued', 'processing', 'ready', 'failed')),
        answerable text not null default 'none' check (answerable in ('none', 'lexical', 'semantic')),
        live_generation int,
        semantic_generation int,
        version int not null default 0,
        page_count int,
        passage_count int,
        reason_code text,
        reason_detail text,
        assessment jsonb,
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now(),
        primary key (tenant_id, id),
        foreign key (tenant_id, owner_id) references app_user (tenant_id, id) on delete cascade,
        check ((answerable = 'none') = (live_generation is null)),
        check ((answerable = 'semantic') = (semantic_generation is not null)),
        check ((status = 'failed') = (reason_code is not null))
      )`);
    await q.query(`create index document_newest on document (tenant_id, created_at desc, id desc)`);
    await q.query(`create index document_content on document (tenant_id, sha256)`);
    await q.query(`create index document_owner on document (tenant_id, owner_id)`);
    await isolateTenants(q, 'document');

    // One sequence for all jobs: a token is never given out twice, not even to a document that was deleted and
    // uploaded again, so a worker that still holds the old job can never pass for the holder of the new one.
    await q.query(`create sequence job_fencing_token`);
    await q.query(`grant usage on sequence job_fencing_token to navigator_app`);
    await q.query(`
      create table job (
        tenant_id uuid not null,
        document_id uuid not null,
        state text not null default 'queued' check (state in ('queued', 'running', 'done', 'failed')),
        generation int not null default 1,
        fencing_token bigint not null default 0,
        worker_id text,
        lease_until timestamptz,
        run_at timestamptz not null default now(),
        claimed_at timestamptz,
        correlation_id text,
        created_at timestamptz not null default now(),
        primary key (tenant_id, document_id),
        foreign key (tenant_id, document_id) references document (tenant_id, id) on delete cascade,
        check ((state = 'running') = (worker_id is not null and lease_until is not null))
      )`);
    await q.query(`create index job_queued on job (tenant_id, run_at) where state = 'queued'`);
    await q.query(`create index job_running on job (tenant_id, lease_until) where state = 'running'`);
    await q.query(`create index job_last_claim on job (tenant_id, claimed_at)`);
    await isolateTenants(q, 'job');
    // A worker sees the queue of all tenants, and nothing else of them.
    for (const command of ['select', 'update'])
      await q.query(
        `create policy worker_${command} on job for ${command} using ((select app_scope()) = 'worker')`,
      );

    await q.query(`
      create table job_stage (
        tenant_id uuid not null,
        document_id uuid not null,
        name text not null,
        status text not null default 'pending' check (status in ('pending', 'running', 'done', 'failed')),
        attempts int not null default 0,
        progress real not null default 0 check (progress between 0 and 1),
        detail jsonb,
        result bytea,
        started_at timestamptz,
        finished_at timestamptz,
        primary key (tenant_id, document_id, name),
        foreign key (tenant_id, document_id) references job (tenant_id, document_id) on delete cascade
      )`);
    await isolateTenants(q, 'job_stage');
  }

  async down(q: QueryRunner): Promise<void> {
    await q.query(`drop table job_stage`);
    await q.query(`drop table job`);
    await q.query(`drop sequence job_fencing_token`);
    await q.query(`drop table document`);
  }
}
