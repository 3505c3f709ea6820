import type { MigrationInterface, QueryRunner } from 'typeorm';
import { isolateTenants } from './tenant-isolation.js';

/** Keys that sign access tokens, what API keys are limited to, accounts for programs, and people known by a provider. */
export class ExtendCredentials1764000026000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    // The private part is sealed with a key that is not in the database; the seal covers the public part and the name.
    await q.query(`
      create table token_key (
        kid text primary key check (kid ~ '^[A-Za-z0-9_-]{43}$'),
        sealed_by text not null check (sealed_by ~ '^[0-9a-f]{32}$'),
        public_key text not null check (public_key ~ '^[A-Za-z0-9_-]{43}$'),
        sealed_private bytea not null,
        created_at timestamptz not null default now(),
        signs_from timestamptz not null,
        verifies_until timestamptz,
        revoked_at timestamptz
      )`);
    await q.query(`create index token_key_time on token_key (sealed_by, signs_from desc)`);
    await q.query(`alter table token_key enable row level security`);
    await q.query(`alter table token_key force row level security`);
    await q.query(
      `create policy operator on token_key
         using ((select app_scope()) = 'operator') with check ((select app_scope()) = 'operator')`,
    );
    await q.query(`grant select, insert, update, delete on token_key to navigator_app`);

    // null: all that its user may do, from anywhere.
    await q.query(`
      alter table api_key
        add column scopes text[] check (cardinality(scopes) between 1 and 50),
        add column networks text[] check (cardinality(networks) between 1 and 50),
        add column replaced_by uuid,
        add foreign key (tenant_id, replaced_by) references api_key (tenant_id, id)`);

    // A program has no password, nor has somebody whom only his provider knows.
    await q.query(`alter table app_user alter column password_hash drop not null`);
    await q.query(`
      create table service_account (
        tenant_id uuid not null,
        user_id uuid not null,
        name text not null check (length(name) between 1 and 100),
        created_by uuid not null,
        created_at timestamptz not null default now(),
        deleted_at timestamptz,
        primary key (tenant_id, user_id),
        foreign key (tenant_id, user_id) references app_user on delete cascade
      )`);
    await q.query(
      `create unique index service_account_name on service_account (tenant_id, name) where deleted_at is null`,
    );
    await isolateTenants(q, 'service_account');

    // Found before the tenant is known, by the digest of issuer and subject.
    await q.query(`
      create table sso_identity (
        tenant_id uuid not null,
        identity_hash text not null unique check (identity_hash ~ '^[0-9a-f]{64}$'),
        issuer text not null check (length(issuer) between 1 and 500),
        subject text not null check (length(subject) between 1 and 255),
        user_id uuid not null,
        linked_at timestamptz not null default now(),
        primary key (tenant_id, identity_hash),
        foreign key (tenant_id, user_id) references app_user on delete cascade
      )`);
    await q.query(`create index sso_identity_user on sso_identity (tenant_id, user_id)`);
    await isolateTenants(q, 'sso_identity');
    await q.query(
      `create policy presented on sso_identity for select using (identity_hash = (select app_credential()))`,
    );
  }

  async down(q: QueryRunner): Promise<void> {
    await q.query(`drop table sso_identity`);
    await q.query(`drop table service_account`);
    await q.query(`alter table api_key drop column replaced_by, drop column networks, drop column scopes`);
    await q.query(`drop table token_key`);
  }
}
