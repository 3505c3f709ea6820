import type { MigrationInterface, QueryRunner } from 'typeorm';
import { isolateTenants } from './tenant-isolation.js';

const NIL = '00000000-0000-0000-0000-000000000000';

/** What people control: reviews, cancelling, priorities, pauses and limits. */
export class ControlIngestion1764000014000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    await this.allowStates(q, {
      document: ['queued', 'processing', 'needs_review', 'ready', 'failed', 'cancelled'],
      withReason: ['needs_review', 'failed', 'cancelled'],
      job: ['queued', 'running', 'review', 'done', 'failed', 'cancelled'],
      stage: ['pending', 'running', 'review', 'done', 'failed'],
    });
    // What a job waits for is its turn: half an hour earlier or later than when it could run, by its priority. So a
    // job of low priority waits at most an hour longer than one of high priority, and never starves.
    await q.query(`
      alter table job
        add column priority smallint not null default 0 check (priority between -1 and 1),
        add column turn_at timestamp not null generated always as
          ((run_at at time zone 'UTC') - priority * interval '30 minutes') stored,
        add column state_since timestamptz not null default now()`);
    await q.query(`drop index job_queued`);
    await q.query(
      `create index job_queued on job (tenant_id, turn_at) include (run_at) where state = 'queued'`,
    );
    await q.query(
      `create index job_stopped on job (tenant_id, state_since desc, document_id desc)
         where state in ('failed', 'review')`,
    );
    await q.query(`
      alter table job_stage
        add column gate jsonb,
        add column progressed_at timestamptz,
        add column started_progress real not null default 0`);
    await this.createControl(q);
  }

  /** One row for each tenant for which something was ordered, and one under the nil UUID for the installation. */
  private async createControl(q: QueryRunner): Promise<void> {
    await q.query(`
      create table ingestion_control (
        tenant_id uuid primary key,
        paused_at timestamptz,
        paused_by uuid,
        pause_reason text check (length(pause_reason) <= 500),
        max_running int check (max_running between 1 and 10000),
        updated_at timestamptz not null default now(),
        check ((paused_at is null) = (paused_by is null))
      )`);
    await isolateTenants(q, 'ingestion_control');
    await q.query(
      `create policy worker_select on ingestion_control for select using ((select app_scope()) = 'worker')`,
    );
    await q.query(
      `create policy installation_select on ingestion_control for select using (tenant_id = '${NIL}')`,
    );
    await q.query(
      `create policy operator on ingestion_control
         using ((select app_scope()) = 'operator') with check ((select app_scope()) = 'operator')`,
    );
  }

  async down(q: QueryRunner): Promise<void> {
    await q.query(`drop table ingestion_control`);
    await q.query(`drop index job_stopped`);
    await q.query(`drop index job_queued`);
    await q.query(
      `alter table job_stage drop column gate, drop column progressed_at, drop column started_progress`,
    );
    await q.query(`alter table job drop column turn_at, drop column priority, drop column state_since`);
    await q.query(`create index job_queued on job (tenant_id, run_at) where state = 'queued'`);
    // Even the owner sees no tenant's rows while row-level security is forced.
    for (const table of ['document', 'job', 'job_stage'])
      await q.query(`alter table ${table} no force row level security`);
    await q.query(`update document set status = 'failed' where status in ('needs_review', 'cancelled')`);
    await q.query(`update job set state = 'failed' where state in ('review', 'cancelled')`);
    await q.query(`update job_stage set status = 'pending' where status = 'review'`);
    for (const table of ['document', 'job', 'job_stage'])
      await q.query(`alter table ${table} force row level security`);
    await this.allowStates(q, {
      document: ['queued', 'processing', 'ready', 'failed'],
      withReason: ['failed'],
      job: ['queued', 'running', 'done', 'failed'],
      stage: ['pending', 'running', 'done', 'failed'],
    });
  }

  private async allowStates(
    q: QueryRunner,
    { document, withReason, job, stage }: Record<'document' | 'withReason' | 'job' | 'stage', string[]>,
  ): Promise<void> {
    for (const [table, name, condition] of [
      ['document', 'document_status_check', `status in (${list(document)})`],
      // The name that PostgreSQL gave it when the table was made.
      ['document', 'document_check2', `(status in (${list(withReason)})) = (reason_code is not null)`],
      ['job', 'job_state_check', `state in (${list(job)})`],
      ['job_stage', 'job_stage_status_check', `status in (${list(stage)})`],
    ])
      await q.query(
        `alter table ${table} drop constraint ${name}, add constraint ${name} check (${condition})`,
      );
  }
}

function list(names: readonly string[]): string {
  return names.map((name) => `'${name}'`).join(', ');
}
