import type { MigrationInterface, QueryRunner } from 'typeorm';
import { isolateTenants } from './tenant-isolation.js';

/**
 * What a stage has read of its file so far: its plan, and a row for each part that is done. A part that is not there
 * is still to be read.
 */
export class CreateJobParts1764000015000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    await q.query(`alter table job_stage add column plan jsonb`);
    await q.query(`
      create table job_part (
        tenant_id uuid not null,
        document_id uuid not null,
        stage text not null,
        ordinal int not null check (ordinal >= 0),
        range int8range not null check (not isempty(range)),
        result bytea not null,
        detail jsonb not null,
        started_at timestamptz not null,
        finished_at timestamptz not null default clock_timestamp(),
        primary key (tenant_id, document_id, stage, ordinal),
        foreign key (tenant_id, document_id, stage) references job_stage (tenant_id, document_id, name)
          on delete cascade
      )`);
    // They are compressed before they come here.
    await q.query(`alter table job_part alter result set storage external`);
    await isolateTenants(q, 'job_part');
  }

  async down(q: QueryRunner): Promise<void> {
    await q.query(`drop table job_part`);
    await q.query(`alter table job_stage drop column plan`);
  }
}
