import type { MigrationInterface, QueryRunner } from 'typeorm';
import { isolateTenants } from './tenant-isolation.js';

/** A grant is to a user or to a group; `grantee_id` is whichever it is, so that nobody is granted the same twice. */
const GRANTEE = `
  user_id uuid,
  group_id uuid,
  grantee_id uuid not null generated always as (coalesce(user_id, group_id)) stored,
  created_at timestamptz not null default now(),
  check (num_nonnulls(user_id, group_id) = 1),
  foreign key (tenant_id, user_id) references app_user (tenant_id, id) on delete cascade,
  foreign key (tenant_id, group_id) references user_group (tenant_id, id) on delete cascade`;

/** Groups of people, and who besides its owner may read a document: by its own grants, or by those of its collection. */
export class ShareDocuments1764000027000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    await this.createGroups(q);
    await this.createGrants(q);
    await this.listGranted(q);
    await this.forgetWhoLeaves(q);
    // `collection`: whoever its collection is shared with, whatever that is at the moment.
    await q.query(
      `alter table document drop constraint document_visibility_check,
         add constraint document_visibility_check
           check (visibility in ('private', 'shared', 'tenant', 'collection')),
         add constraint document_of_collection check (visibility <> 'collection' or collection is not null)`,
    );
    // null: as each document would have it that comes in by itself.
    await q.query(`alter table import_batch alter column visibility drop not null`);
  }

  private async createGroups(q: QueryRunner): Promise<void> {
    await q.query(`
      create table user_group (
        tenant_id uuid not null references tenant on delete cascade,
        id uuid not null,
        name text not null check (length(name) between 1 and 100),
        created_at timestamptz not null default now(),
        primary key (tenant_id, id)
      )`);
    await q.query(`create unique index user_group_name on user_group (tenant_id, lower(name))`);
    await isolateTenants(q, 'user_group');
    await q.query(`
      create table user_group_member (
        tenant_id uuid not null,
        group_id uuid not null,
        user_id uuid not null,
        added_at timestamptz not null default now(),
        primary key (tenant_id, group_id, user_id),
        foreign key (tenant_id, group_id) references user_group (tenant_id, id) on delete cascade,
        foreign key (tenant_id, user_id) references app_user (tenant_id, id) on delete cascade
      )`);
    await q.query(`create index user_group_member_user on user_group_member (tenant_id, user_id, group_id)`);
    await isolateTenants(q, 'user_group_member');
  }

  /** Grants are there only while what they are of is `shared`. */
  private async createGrants(q: QueryRunner): Promise<void> {
    await q.query(`
      create table document_grant (
        tenant_id uuid not null,
        document_id uuid not null,
        ${GRANTEE},
        primary key (tenant_id, document_id, grantee_id),
        foreign key (tenant_id, document_id) references document (tenant_id, id) on delete cascade
      )`);
    await q.query(`
      create table document_collection (
        tenant_id uuid not null references tenant on delete cascade,
        name text not null check (length(name) between 1 and 100),
        visibility text not null check (visibility in ('private', 'shared', 'tenant')),
        updated_at timestamptz not null default now(),
        primary key (tenant_id, name)
      )`);
    await isolateTenants(q, 'document_collection');
    await q.query(`
      create table collection_grant (
        tenant_id uuid not null,
        collection text not null,
        ${GRANTEE},
        primary key (tenant_id, collection, grantee_id),
        foreign key (tenant_id, collection) references document_collection (tenant_id, name) on delete cascade
      )`);
    for (const [table, of] of [
      ['document_grant', 'document_id'],
      ['collection_grant', 'collection'],
    ]) {
      for (const who of ['user_id', 'group_id'])
        await q.query(
          `create index ${table}_${who} on ${table} (tenant_id, ${who}, ${of}) where ${who} is not null`,
        );
      await isolateTenants(q, table!);
    }
  }

  /**
   * What a user is granted, himself or in a group. Functions, because PostgreSQL keeps their plans: planning these
   * look-ups with each search would take longer than the look-ups do.
   */
  private async listGranted(q: QueryRunner): Promise<void> {
    const grantsOf = (table: string, column: string) => `
        select g.${column} from ${table} g where g.tenant_id = app_tenant() and g.user_id = reader
        union all
        select g.${column} from user_group_member m
        join ${table} g on g.tenant_id = m.tenant_id and g.group_id = m.group_id
        where m.tenant_id = app_tenant() and m.user_id = reader`;
    await q.query(`
      create function granted_documents(reader uuid) returns setof uuid language plpgsql stable parallel safe as $$
      begin
        return query ${grantsOf('document_grant', 'document_id')};
      end $$`);
    await q.query(`
      create function granted_collections(reader uuid) returns setof text language plpgsql stable parallel safe as $$
      begin
        return query
        select c.name from document_collection c where c.tenant_id = app_tenant() and c.visibility = 'tenant'
        union all ${grantsOf('collection_grant', 'collection')};
      end $$`);
  }

  /** The row of a user stays when he leaves, and that of a program too; what they were let into does not. */
  private async forgetWhoLeaves(q: QueryRunner): Promise<void> {
    await q.query(`
      create function forget_membership() returns trigger language plpgsql as $$
      declare
        gone uuid := (to_jsonb(new) ->> tg_argv[0])::uuid;
      begin
        delete from user_group_member where tenant_id = new.tenant_id and user_id = gone;
        delete from document_grant where tenant_id = new.tenant_id and user_id = gone;
        delete from collection_grant where tenant_id = new.tenant_id and user_id = gone;
        return null;
      end $$`);
    for (const [table, column, id] of [
      ['app_user', 'removed_at', 'id'],
      ['service_account', 'deleted_at', 'user_id'],
    ])
      await q.query(
        `create trigger forget_membership after update of ${column} on ${table}
           for each row when (old.${column} is null and new.${column} is not null)
           execute function forget_membership('${id}')`,
      );
  }

  async down(q: QueryRunner): Promise<void> {
    // Even the owner sees no tenant's rows while row-level security is forced.
    for (const table of ['document', 'import_batch'])
      await q.query(`alter table ${table} no force row level security`);
    // Rather too few may read it than too many.
    await q.query(`update document set visibility = 'private' where visibility in ('shared', 'collection')`);
    await q.query(`update import_batch set visibility = 'private' where visibility is null`);
    for (const table of ['document', 'import_batch'])
      await q.query(`alter table ${table} force row level security`);
    await q.query(`alter table import_batch alter column visibility set not null`);
    await q.query(
      `alter table document drop constraint document_of_collection, drop constraint document_visibility_check,
         add constraint document_visibility_check check (visibility in ('private', 'tenant'))`,
    );
    for (const table of ['service_account', 'app_user'])
      await q.query(`drop trigger forget_membership on ${table}`);
    await q.query(`drop function forget_membership(), granted_collections(uuid), granted_documents(uuid)`);
    for (const table of ['collection_grant', 'document_collection', 'document_grant'])
      await q.query(`drop table ${table}`);
    for (const table of ['user_group_member', 'user_group']) await q.query(`drop table ${table}`);
  }
}
