import type { MigrationInterface, QueryRunner } from 'typeorm';
import { isolateTenants } from './tenant-isolation.js';

/** What was answered to a POST with an Idempotency-Key, so that its repeat is answered the same. */
export class CreateIdempotency1764000007000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    await q.query(`
      create table idempotent_request (
        tenant_id uuid not null references tenant on delete cascade,
        user_id uuid not null,
        key text not null check (length(key) between 1 and 255),
        fingerprint bytea not null,
        -- null while the first request is under way
        status smallint,
        -- null also when the response held a secret
        body jsonb,
        created_at timestamptz not null default now(),
        primary key (tenant_id, user_id, key)
      )`);
    await isolateTenants(q, 'idempotent_request');
  }

  async down(q: QueryRunner): Promise<void> {
    await q.query(`drop table idempotent_request`);
  }
}
