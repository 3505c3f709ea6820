import type { MigrationInterface, QueryRunner } from 'typeorm';
import { isolateTenants } from './tenant-isolation.js';

/**
 * Exports: one file each, written in the background. There is no foreign key to the tenant, because the installation's own
 * audit log is exported under its id, and because whoever asks for a copy of all that is his may be about to leave.
 */
export class CreateExports1764000028000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    await q.query(`
      create table export_job (
        tenant_id uuid not null,
        id uuid not null,
        kind text not null check (length(kind) between 1 and 60),
        requested_by uuid not null,
        parameters jsonb not null check (jsonb_typeof(parameters) = 'object'),
        state text not null default 'queued'
          check (state in ('queued', 'running', 'ready', 'failed', 'expired', 'cancelled')),
        file_name text not null check (length(file_name) between 1 and 200),
        media_type text not null check (length(media_type) between 1 and 200),
        gzip boolean not null,
        rows bigint not null default 0 check (rows >= 0),
        bytes bigint check (bytes >= 0),
        sha256 bytea check (octet_length(sha256) = 32),
        manifest text,
        reason text check (length(reason) <= 100),
        attempts int not null default 0,
        run_at timestamptz not null default now(),
        claim_id uuid,
        lease_until timestamptz,
        created_at timestamptz not null default now(),
        finished_at timestamptz,
        expires_at timestamptz,
        primary key (tenant_id, id),
        check ((state = 'running') = (claim_id is not null and lease_until is not null)),
        check ((state = 'ready') = (bytes is not null and sha256 is not null and manifest is not null)),
        check ((state = 'failed') = (reason is not null))
      )`);
    await q.query(
      `create index export_job_kept on export_job (tenant_id, state) where state in ('queued', 'running', 'ready')`,
    );
    await q.query(`create index export_job_over on export_job (finished_at)
                     where state in ('failed', 'expired', 'cancelled')`);
    await isolateTenants(q, 'export_job');
    for (const command of ['select', 'update', 'delete'])
      await q.query(
        `create policy worker_${command} on export_job for ${command} using ((select app_scope()) = 'worker')`,
      );
  }

  async down(q: QueryRunner): Promise<void> {
    await q.query(`drop table export_job`);
  }
}
