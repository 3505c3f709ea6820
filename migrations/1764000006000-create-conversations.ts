import type { MigrationInterface, QueryRunner } from 'typeorm';
import { isolateTenants } from './tenant-isolation.js';

/** Conversations and their turns: a question with its answer, as far as it got. Ids sort by time (UUIDv7). */
export class CreateConversations1764000006000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    await q.query(`
      create table conversation (
        tenant_id uuid not null,
        id uuid not null,
        owner_id uuid not null,
        title text check (length(title) between 1 and 200),
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now(),
        primary key (tenant_id, id),
        foreign key (tenant_id, owner_id) references app_user (tenant_id, id) on delete cascade
      )`);
    await q.query(`create index conversation_newest on conversation (tenant_id, owner_id, id desc)`);
    await isolateTenants(q, 'conversation');

    await q.query(`
      create table turn (
        tenant_id uuid not null,
        id uuid not null,
        conversation_id uuid not null,
        question text not null check (length(question) between 1 and 4000),
        selection jsonb not null,
        status text not null check (status in ('answering', 'answered', 'cancelled', 'failed')),
        search_results jsonb not null,
        answer jsonb not null,
        served_by text,
        service_level text check (service_level in ('full', 'degraded', 'minimal')),
        error_code text,
        created_at timestamptz not null default now(),
        finished_at timestamptz,
        primary key (tenant_id, id),
        foreign key (tenant_id, conversation_id) references conversation (tenant_id, id) on delete cascade,
        check ((status = 'answering') = (finished_at is null)),
        check ((status = 'answered') = (served_by is not null)),
        check ((status = 'answered') = (service_level is not null)),
        check ((status = 'failed') = (error_code is not null))
      )`);
    await q.query(`create index turn_newest on turn (tenant_id, conversation_id, id desc)`);
    await isolateTenants(q, 'turn');
  }

  async down(q: QueryRunner): Promise<void> {
    await q.query(`drop table turn`);
    await q.query(`drop table conversation`);
  }
}
