import type { MigrationInterface, QueryRunner } from 'typeorm';
import { isolateTenants } from './tenant-isolation.js';

/** What row-level security asks, tenants and their users. The role `navigator_app` is made before any migration. */
export class CreateTenancy1764000001000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    await q.query(`grant usage on schema public to navigator_app`);

    for (const [name, setting, type] of [
      ['app_tenant', 'app.tenant', 'uuid'],
      ['app_scope', 'app.scope', 'text'],
      ['app_credential', 'app.credential', 'text'],
    ]) {
      // After its transaction a custom setting is the empty string, not null.
      await q.query(
        `create function ${name}() returns ${type} language sql stable parallel safe
           return nullif(current_setting('${setting}', true), '')::${type}`,
      );
    }

    await q.query(`
      create table tenant (
        tenant_id uuid primary key,
        name text not null unique check (name ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
        created_at timestamptz not null default now()
      )`);
    await isolateTenants(q, 'tenant');

    await q.query(`
      create table app_user (
        tenant_id uuid not null references tenant on delete cascade,
        id uuid not null,
        email text not null unique check (email = lower(email) and length(email) between 3 and 254),
        password_hash text not null,
        role text not null check (role in ('member', 'manager', 'admin', 'operator')),
        created_at timestamptz not null default now(),
        disabled_at timestamptz,
        primary key (tenant_id, id)
      )`);
    await isolateTenants(q, 'app_user');
    await q.query(`create policy login on app_user for select using (email = (select app_credential()))`);
  }

  async down(q: QueryRunner): Promise<void> {
    await q.query(`drop table app_user`);
    await q.query(`drop table tenant`);
    await q.query(`drop function app_credential(), app_scope(), app_tenant()`);
    await q.query(`revoke usage on schema public from navigator_app`);
  }
}
