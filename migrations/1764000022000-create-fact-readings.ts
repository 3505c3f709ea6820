import type { MigrationInterface, QueryRunner } from 'typeorm';
import { isolateTenants } from './tenant-isolation.js';

/** What chat models wrote of documents, by what they were told; and of each insight what came of asking one. */
export class CreateFactReadings1764000022000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    await q.query(`
      create table fact_reading (
        tenant_id uuid not null,
        document_id uuid not null,
        digest bytea not null check (length(digest) = 32),
        model text not null,
        answer jsonb not null,
        created_at timestamptz not null default clock_timestamp(),
        primary key (tenant_id, document_id, digest, model),
        foreign key (tenant_id, document_id) references document (tenant_id, id) on delete cascade
      )`);
    await isolateTenants(q, 'fact_reading');
    await q.query(
      `alter table document_insight add column model_reading jsonb not null default '{"outcome": "off", "dropped": 0}'`,
    );
  }

  async down(q: QueryRunner): Promise<void> {
    await q.query(`alter table document_insight drop column model_reading`);
    await q.query(`drop table fact_reading`);
  }
}
