import type { MigrationInterface, QueryRunner } from 'typeorm';
import { isolateTenants } from './tenant-isolation.js';

/** The tokens that models used for a tenant in an hour or a day, with those set aside for calls under way. */
export class CreateModelBudget1764000011000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    await q.query(`
      create table model_budget (
        tenant_id uuid not null references tenant on delete cascade,
        period text not null check (period in ('hour', 'day')),
        starts_at timestamptz not null,
        tokens bigint not null check (tokens >= 0),
        primary key (tenant_id, period, starts_at)
      )`);
    await isolateTenants(q, 'model_budget');
  }

  async down(q: QueryRunner): Promise<void> {
    await q.query(`drop table model_budget`);
  }
}
