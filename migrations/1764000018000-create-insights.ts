import type { MigrationInterface, QueryRunner } from 'typeorm';
import { isolateTenants } from './tenant-isolation.js';

/** What a generation of a document's passages is and says in short: its kind, a summary, and the facts of a plan. */
export class CreateInsights1764000018000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    await q.query(`
      create table document_insight (
        tenant_id uuid not null,
        document_id uuid not null,
        generation int not null,
        kind text not null,
        kind_confidence real not null check (kind_confidence between 0 and 1),
        summary jsonb not null,
        facts jsonb not null,
        found_by text not null,
        created_at timestamptz not null default now(),
        primary key (tenant_id, document_id, generation),
        foreign key (tenant_id, document_id) references document (tenant_id, id) on delete cascade
      )`);
    await isolateTenants(q, 'document_insight');
  }

  async down(q: QueryRunner): Promise<void> {
    await q.query(`drop table document_insight`);
  }
}
