import type { MigrationInterface, QueryRunner } from 'typeorm';
import { isolateTenants } from './tenant-isolation.js';

const REASONS = ['logout', 'refresh-token-reused'];
/** Why somebody else than their user, or a change of his password, ends sessions. */
const FURTHER_REASONS = [
  'password-changed',
  'password-reset',
  'second-factor-reset',
  'role-changed',
  'suspended',
  'removed',
];

/**
 * How people come, prove who they are and go: invitations, sign-ups, lost passwords, second factors, and the mails that
 * go with them. Of every token only the SHA-256 is kept: they are random 256 bits.
 */
export class CreatePeople1764000025000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    await this.suspendTenants(q);
    await this.removeUsers(q);
    await this.createTokens(q);
    await this.createSecondFactors(q);
    await this.createOutbox(q);
  }

  private async suspendTenants(q: QueryRunner): Promise<void> {
    await q.query(
      `alter table tenant
         add column suspended_at timestamptz,
         add column settings jsonb not null default '{}' check (jsonb_typeof(settings) = 'object')`,
    );
    await q.query(
      `create policy operator on tenant
         using ((select app_scope()) = 'operator') with check ((select app_scope()) = 'operator')`,
    );
    // Claiming jobs passes over those that are suspended.
    await q.query(`create policy worker_select on tenant for select using ((select app_scope()) = 'worker')`);
    // A login has to know whether the tenant is suspended before it knows the tenant.
    await q.query(
      `create policy login on tenant for select using (
         (select app_credential()) is not null and exists (
           select from app_user u where u.tenant_id = tenant.tenant_id and u.email = (select app_credential())))`,
    );
  }

  /** Who has left keeps his row, because documents and conversations are his, but neither address nor password. */
  private async removeUsers(q: QueryRunner): Promise<void> {
    await q.query(`alter table app_user alter column password_hash drop not null`);
    await q.query(
      `alter table app_user add column removed_at timestamptz,
         add constraint app_user_removed check (removed_at is null or disabled_at is not null)`,
    );
    await this.allowReasons(q, [...REASONS, ...FURTHER_REASONS]);
  }

  private async createTokens(q: QueryRunner): Promise<void> {
    await q.query(`
      create table invitation (
        tenant_id uuid not null references tenant on delete cascade,
        id uuid not null,
        email text not null check (email = lower(email) and length(email) between 3 and 254),
        role text not null check (role in ('member', 'manager', 'admin', 'operator')),
        token_hash text not null unique check (token_hash ~ '^[0-9a-f]{64}$'),
        invited_by uuid,
        created_at timestamptz not null default now(),
        sent_at timestamptz not null default now(),
        expires_at timestamptz not null,
        accepted_at timestamptz,
        revoked_at timestamptz,
        primary key (tenant_id, id),
        check (accepted_at is null or revoked_at is null)
      )`);
    await q.query(
      `create unique index invitation_open on invitation (tenant_id, email)
         where accepted_at is null and revoked_at is null`,
    );
    await isolateTenants(q, 'invitation');
    // With a new tenant, an operator invites its first administrator.
    await q.query(
      `create policy operator_insert on invitation for insert with check ((select app_scope()) = 'operator')`,
    );

    await q.query(`
      create table password_reset (
        tenant_id uuid not null,
        id uuid not null,
        user_id uuid not null,
        token_hash text not null unique check (token_hash ~ '^[0-9a-f]{64}$'),
        created_at timestamptz not null default now(),
        expires_at timestamptz not null,
        primary key (tenant_id, id),
        foreign key (tenant_id, user_id) references app_user on delete cascade
      )`);
    await q.query(`create index password_reset_of_user on password_reset (tenant_id, user_id)`);
    await isolateTenants(q, 'password_reset');

    // Its tenant is that of the installation: the one that it leads to does not exist yet.
    await q.query(`
      create table sign_up (
        tenant_id uuid not null,
        id uuid not null,
        email text not null check (email = lower(email) and length(email) between 3 and 254),
        token_hash text not null unique check (token_hash ~ '^[0-9a-f]{64}$'),
        created_at timestamptz not null default now(),
        expires_at timestamptz not null,
        primary key (tenant_id, id)
      )`);
    await q.query(`create index sign_up_expired on sign_up (tenant_id, expires_at)`);
    await isolateTenants(q, 'sign_up');

    for (const table of ['invitation', 'password_reset', 'sign_up'])
      await q.query(
        `create policy presented on ${table} for select using (token_hash = (select app_credential()))`,
      );
  }

  private async createSecondFactors(q: QueryRunner): Promise<void> {
    await q.query(`
      create table user_totp (
        tenant_id uuid not null,
        user_id uuid not null,
        secret bytea not null,
        created_at timestamptz not null default now(),
        enabled_at timestamptz,
        last_step bigint,
        primary key (tenant_id, user_id),
        foreign key (tenant_id, user_id) references app_user on delete cascade
      )`);
    await isolateTenants(q, 'user_totp');
    await q.query(`
      create table recovery_code (
        tenant_id uuid not null,
        user_id uuid not null,
        code_hash text not null check (code_hash ~ '^[0-9a-f]{64}$'),
        used_at timestamptz,
        primary key (tenant_id, user_id, code_hash),
        foreign key (tenant_id, user_id) references user_totp on delete cascade
      )`);
    await isolateTenants(q, 'recovery_code');
  }

  /** Addresses and texts are sealed, because texts hold tokens; what was sent is gone. */
  private async createOutbox(q: QueryRunner): Promise<void> {
    await q.query(`
      create table mail_outbox (
        tenant_id uuid not null,
        id uuid not null,
        kind text not null,
        sealed bytea not null,
        attempts int not null default 0,
        next_attempt_at timestamptz not null default now(),
        created_at timestamptz not null default now(),
        expires_at timestamptz not null,
        primary key (tenant_id, id)
      )`);
    await q.query(`create index mail_outbox_due on mail_outbox (next_attempt_at)`);
    await isolateTenants(q, 'mail_outbox');
    await q.query(
      `create policy operator_insert on mail_outbox for insert with check ((select app_scope()) = 'operator')`,
    );
    for (const command of ['select', 'update', 'delete'])
      await q.query(
        `create policy worker_${command} on mail_outbox for ${command} using ((select app_scope()) = 'worker')`,
      );
  }

  async down(q: QueryRunner): Promise<void> {
    for (const table of [
      'mail_outbox',
      'recovery_code',
      'user_totp',
      'sign_up',
      'password_reset',
      'invitation',
    ])
      await q.query(`drop table ${table}`);
    // Even the owner sees no tenant's rows while row-level security is forced.
    for (const table of ['app_user', 'session'])
      await q.query(`alter table ${table} no force row level security`);
    // Of no password, so that nobody logs in with it.
    await q.query(`update app_user set password_hash = '' where password_hash is null`);
    await q.query(`update session set revoked_reason = 'logout' where revoked_reason = any ($1)`, [
      FURTHER_REASONS,
    ]);
    for (const table of ['app_user', 'session'])
      await q.query(`alter table ${table} force row level security`);
    await this.allowReasons(q, REASONS);
    await q.query(`alter table app_user drop constraint app_user_removed, drop column removed_at`);
    await q.query(`alter table app_user alter column password_hash set not null`);
    for (const policy of ['login', 'worker_select', 'operator'])
      await q.query(`drop policy ${policy} on tenant`);
    await q.query(`alter table tenant drop column suspended_at, drop column settings`);
  }

  private async allowReasons(q: QueryRunner, reasons: readonly string[]): Promise<void> {
    const list = reasons.map((reason) => `'${reason}'`).join(', ');
    await q.query(
      `alter table session drop constraint session_revoked_reason_check,
         add constraint session_revoked_reason_check check (revoked_reason in (${list}))`,
    );
  }
}
