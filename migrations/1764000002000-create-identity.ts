import type { MigrationInterface, QueryRunner } from 'typeorm';
import { isolateTenants } from './tenant-isolation.js';

/**
 * Sessions, their refresh tokens and API keys. Of every secret only the SHA-256 is kept: they are random 256 bits,
 * so there is nothing to guess and no salt to add. What is looked up before the tenant is known (a token's hash, a
 * key's public id) is unique across tenants; being random, it tells nobody anything.
 */
export class CreateIdentity1764000002000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    await q.query(`
      create table session (
        tenant_id uuid not null,
        id uuid not null,
        user_id uuid not null,
        created_at timestamptz not null default now(),
        expires_at timestamptz not null,
        revoked_at timestamptz,
        revoked_reason text check (revoked_reason in ('logout', 'refresh-token-reused')),
        primary key (tenant_id, id),
        foreign key (tenant_id, user_id) references app_user on delete cascade,
        check ((revoked_at is null) = (revoked_reason is null))
      )`);
    await q.query(`create index session_of_user on session (tenant_id, user_id)`);
    await isolateTenants(q, 'session');

    await q.query(`
      create table refresh_token (
        tenant_id uuid not null,
        token_hash text not null unique check (token_hash ~ '^[0-9a-f]{64}$'),
        session_id uuid not null,
        issued_at timestamptz not null default now(),
        expires_at timestamptz not null,
        used_at timestamptz,
        used_by text,
        successor_hash text,
        successor_salt text,
        primary key (tenant_id, token_hash),
        foreign key (tenant_id, session_id) references session on delete cascade,
        check ((used_at is null) = (successor_hash is null))
      )`);
    await q.query(`create index refresh_token_session on refresh_token (tenant_id, session_id)`);
    await isolateTenants(q, 'refresh_token');
    await q.query(
      `create policy presented on refresh_token for select using (token_hash = (select app_credential()))`,
    );

    await q.query(`
      create table api_key (
        tenant_id uuid not null,
        id uuid not null,
        user_id uuid not null,
        public_id text not null unique check (public_id ~ '^[0-9A-Za-z]{12}$'),
        secret_hash text not null check (secret_hash ~ '^[0-9a-f]{64}$'),
        name text not null check (length(name) between 1 and 100),
        created_at timestamptz not null default now(),
        expires_at timestamptz not null,
        last_used_at timestamptz,
        revoked_at timestamptz,
        primary key (tenant_id, id),
        foreign key (tenant_id, user_id) references app_user on delete cascade
      )`);
    await q.query(`create index api_key_user on api_key (tenant_id, user_id, id desc)`);
    await isolateTenants(q, 'api_key');
    await q.query(
      `create policy presented on api_key for select using (public_id = (select app_credential()))`,
    );
  }

  async down(q: QueryRunner): Promise<void> {
    await q.query(`drop table api_key`);
    await q.query(`drop table refresh_token`);
    await q.query(`drop table session`);
  }
}
