import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A request whose outcome is not known is resumed by its repeat, which makes the same thing under the same id. */
export class ResumeIdempotentRequests1764000013000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    await q.query(`
      alter table idempotent_request
        -- the id of what the request makes
        add column resource_id uuid not null default gen_random_uuid(),
        -- the process that is at work on it; null when none is
        add column claimant uuid,
        add column claimed_at timestamptz not null default now()`);
  }

  async down(q: QueryRunner): Promise<void> {
    await q.query(
      `alter table idempotent_request drop column resource_id, drop column claimant, drop column claimed_at`,
    );
  }
}
