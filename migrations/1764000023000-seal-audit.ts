import type { MigrationInterface, QueryRunner } from 'typeorm';
import { type AuditColumns, bodyOfColumns } from '#libs/audit';
import { isolateTenants } from './tenant-isolation.js';

const APPEND_ONLY = ['audit_leaf', 'audit_tile', 'audit_head', 'audit_checkpoint', 'audit_anchor'];
/** What everybody may insert; the transaction that wrote an event is for the server to say. */
const INSERTED = `tenant_id, id, occurred_at, action, category, actor_type, actor_id, actor_role, credential_id,
  targets, outcome, reason, request_id, route, context, detail, body`;
const BATCH = 1_000;

/**
 * The evidence over the audit log: each event's exact bytes, the leaves and tiles of a Merkle tree per tenant, heads of
 * those trees in a tree of their own, and signed checkpoints of it. Events from before get the bytes that they would have
 * now; they are sealed as they are found.
 */
export class SealAudit1764000023000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    await q.query(`alter table audit_event add column xid xid8 not null default pg_current_xact_id()`);
    await q.query(`alter table audit_event add column body bytea`);
    await giveBodies(q);
    await q.query(`alter table audit_event alter column body set not null`);
    await q.query(`create index audit_event_order on audit_event (xid, id)`);
    await q.query(`revoke insert on audit_event from navigator_app`);
    await q.query(`grant insert (${INSERTED}) on audit_event to navigator_app`);
    await createTrees(q);
    await createCheckpoints(q);
    await letAuditorsWork(q);
  }

  async down(q: QueryRunner): Promise<void> {
    for (const command of ['select', 'insert'])
      await q.query(`drop policy auditor_${command} on audit_event`);
    for (const table of ['audit_seal_state', 'audit_tree', ...APPEND_ONLY.toReversed()])
      await q.query(`drop table ${table}`);
    await q.query(`revoke insert (${INSERTED}) on audit_event from navigator_app`);
    await q.query(`grant insert on audit_event to navigator_app`);
    await q.query(`drop index audit_event_order`);
    await q.query(`alter table audit_event drop column body, drop column xid`);
  }
}

/** The owner may be subject to row-level security and to the trigger; both are back before anybody else sees the table. */
async function giveBodies(q: QueryRunner): Promise<void> {
  await q.query(`alter table audit_event no force row level security`);
  await q.query(`alter table audit_event disable trigger append_only`);
  for (;;) {
    const rows = (await q.query(
      `select tenant_id, id, to_char(occurred_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as occurred_at,
              action, category, actor_type, actor_id, actor_role, credential_id, targets, outcome, reason, request_id,
              route, context, detail
       from audit_event where body is null limit ${BATCH}`,
    )) as AuditColumns[];
    if (rows.length === 0) break;
    await q.query(
      `update audit_event e set body = convert_to(given.body, 'UTF8')
       from unnest($1::uuid[], $2::uuid[], $3::text[]) as given (tenant_id, id, body)
       where e.tenant_id = given.tenant_id and e.id = given.id`,
      [rows.map((row) => row.tenant_id), rows.map((row) => row.id), rows.map(bodyOfColumns)],
    );
  }
  await q.query(`alter table audit_event enable always trigger append_only`);
  await q.query(`alter table audit_event force row level security`);
}

/** The tree of a tenant stands under its id, that of the heads under the highest id there is. */
async function createTrees(q: QueryRunner): Promise<void> {
  await q.query(`
    create table audit_leaf (
      tenant_id uuid not null,
      leaf_index bigint not null check (leaf_index >= 0),
      event_id uuid not null,
      hash bytea not null check (octet_length(hash) = 32),
      primary key (tenant_id, leaf_index),
      unique (tenant_id, event_id)
    )`);
  await q.query(`
    create table audit_tile (
      tenant_id uuid not null,
      level smallint not null,
      tile_index bigint not null,
      hashes bytea not null check (octet_length(hashes) = 8192),
      root bytea not null check (octet_length(root) = 32),
      primary key (tenant_id, level, tile_index)
    )`);
  // Hashes do not compress.
  await q.query(`alter table audit_tile alter column hashes set storage external`);
  await q.query(`
    create table audit_tree (
      tenant_id uuid primary key,
      size bigint not null,
      frontier bytea not null,
      checkpointed_size bigint not null default 0
    )`);
  await q.query(`create index audit_tree_grown on audit_tree (tenant_id) where size > checkpointed_size`);
  await q.query(`
    create table audit_seal_state (
      only_one boolean primary key default true check (only_one),
      xid xid8 not null default '0',
      event_id uuid not null default '00000000-0000-0000-0000-000000000000',
      restored boolean not null default false
    )`);
  await q.query(`insert into audit_seal_state default values`);
}

async function createCheckpoints(q: QueryRunner): Promise<void> {
  await q.query(`
    create table audit_head (
      tenant_id uuid not null,
      log_index bigint not null,
      id uuid not null,
      size bigint not null,
      root bytea not null check (octet_length(root) = 32),
      primary key (tenant_id, log_index)
    )`);
  await q.query(`create unique index audit_head_log on audit_head (log_index)`);
  await q.query(`
    create table audit_checkpoint (
      no bigint primary key,
      at timestamptz not null,
      log_size bigint not null,
      note text not null
    )`);
  await q.query(`
    create table audit_anchor (
      target text not null check (target in ('file', 'webhook')),
      checkpoint_no bigint not null,
      at timestamptz not null default clock_timestamp(),
      primary key (target, checkpoint_no)
    )`);
}

/** The scope `auditor` reads all of it and adds to it; a tenant reads what is its own; nobody changes what is written. */
async function letAuditorsWork(q: QueryRunner): Promise<void> {
  for (const table of ['audit_leaf', 'audit_tile', 'audit_tree', 'audit_head']) {
    await isolateTenants(q, table);
    await q.query(`drop policy tenant_isolation on ${table}`);
    await q.query(
      `create policy tenant_select on ${table} for select using (tenant_id = (select app_tenant()))`,
    );
  }
  for (const table of ['audit_seal_state', 'audit_checkpoint', 'audit_anchor']) {
    await q.query(`alter table ${table} enable row level security`);
    await q.query(`alter table ${table} force row level security`);
    await q.query(`grant select, insert, update, delete on ${table} to navigator_app`);
  }
  // They tell how far the whole installation has come, and nothing of anybody.
  await q.query(`create policy everybody_select on audit_checkpoint for select using (true)`);
  for (const table of ['audit_event', 'audit_tree', 'audit_seal_state', ...APPEND_ONLY]) {
    const auditor = `(select app_scope()) = 'auditor'`;
    await q.query(`create policy auditor_select on ${table} for select using (${auditor})`);
    await q.query(`create policy auditor_insert on ${table} for insert with check (${auditor})`);
    if (table === 'audit_tree' || table === 'audit_seal_state')
      await q.query(`create policy auditor_update on ${table} for update using (${auditor})`);
  }
  await q.query(`revoke delete, truncate on audit_tree, audit_seal_state from navigator_app`);
  for (const table of APPEND_ONLY) {
    await q.query(`revoke update, delete, truncate on ${table} from navigator_app`);
    await q.query(`
      create trigger append_only before update or delete or truncate on ${table}
        for each statement execute function refuse_change_of_audit()`);
    await q.query(`alter table ${table} enable always trigger append_only`);
  }
}
