import type { MigrationInterface, QueryRunner } from 'typeorm';
import { isolateTenants } from './tenant-isolation.js';

/** Nobody keeps a log for less; the settings of a tenant say the same. */
const LEAST_DAYS = 30;
const FUNCTIONS = [
  'audit_retire(uuid)',
  'audit_held_from()',
  'audit_tombstone_end(uuid)',
  'audit_erase_person(uuid)',
  'refuse_all_but_retirement()',
  'refuse_end_of_hold()',
];

const USED = FUNCTIONS.filter((each) => each.startsWith('audit_'));

/**
 * What the audit log knows of people and how long it is kept: personal data beside the events that carry commitments of
 * it, legal holds, and the only two ways in which anything ever leaves the log. Both are functions of the owner, which
 * look for holds themselves; the application may call them and delete nothing.
 */
export class KeepAudit1764000029000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    await createPersonalData(q);
    await createHolds(q);
    await createRetirement(q);
    for (const each of FUNCTIONS) await q.query(`revoke all on function ${each} from public`);
    for (const each of USED) await q.query(`grant execute on function ${each} to navigator_app`);
  }

  async down(q: QueryRunner): Promise<void> {
    for (const each of ['append_only', 'only_by_tombstone', 'only_what_is_told'])
      await q.query(`drop trigger ${each} on audit_event`);
    await q.query(`
      create trigger append_only before update or delete or truncate on audit_event
        for each statement execute function refuse_change_of_audit()`);
    await q.query(`alter table audit_event enable always trigger append_only`);
    for (const table of ['audit_retirement', 'legal_hold', 'audit_pii']) await q.query(`drop table ${table}`);
    for (const each of FUNCTIONS) await q.query(`drop function ${each}`);
  }
}

async function createPersonalData(q: QueryRunner): Promise<void> {
  await q.query(`
    create table audit_pii (
      tenant_id uuid not null,
      commitment bytea not null check (octet_length(commitment) = 32),
      subject uuid,
      sealed bytea not null,
      written_at timestamptz not null default clock_timestamp(),
      primary key (tenant_id, commitment)
    )`);
  await q.query(`create index audit_pii_subject on audit_pii (tenant_id, subject)`);
  await q.query(`create index audit_pii_age on audit_pii (tenant_id, written_at)`);
  // What is sealed does not compress.
  await q.query(`alter table audit_pii alter column sealed set storage external`);
  await isolateTenants(q, 'audit_pii');
  await q.query(
    `create policy auditor_insert on audit_pii for insert with check ((select app_scope()) = 'auditor')`,
  );
  await q.query(`revoke insert, update, delete, truncate on audit_pii from navigator_app`);
  await q.query(`grant insert (tenant_id, commitment, subject, sealed) on audit_pii to navigator_app`);
}

/** Its rows say who asked for what; only its release is ever added. Active ones cannot be deleted, not even with the tenant. */
async function createHolds(q: QueryRunner): Promise<void> {
  await q.query(`
    create table legal_hold (
      tenant_id uuid not null references tenant on delete cascade,
      id uuid not null,
      scope text not null check (scope in ('tenant', 'user', 'document', 'collection')),
      subject text check (length(subject) between 1 and 200),
      reason text not null check (length(reason) between 1 and 500),
      placed_by uuid not null,
      placed_at timestamptz not null default clock_timestamp(),
      release_asked_by uuid,
      release_asked_at timestamptz,
      released_by uuid,
      released_at timestamptz,
      primary key (tenant_id, id),
      check ((scope = 'tenant') = (subject is null)),
      check ((release_asked_by is null) = (release_asked_at is null)),
      check ((released_by is null) = (released_at is null)),
      constraint legal_hold_needs_two check (released_by is null or released_by <> coalesce(release_asked_by, released_by))
    )`);
  await q.query(`create index legal_hold_active on legal_hold (tenant_id) where released_at is null`);
  await isolateTenants(q, 'legal_hold');
  await q.query(`revoke update, delete, truncate on legal_hold from navigator_app`);
  await q.query(
    `grant update (release_asked_by, release_asked_at, released_by, released_at) on legal_hold to navigator_app`,
  );
  await q.query(`
    create function refuse_end_of_hold() returns trigger language plpgsql as $$
    begin
      if tg_op = 'DELETE' and old.released_at is null then
        raise exception 'a legal hold is in force' using errcode = 'restrict_violation';
      elsif tg_op = 'UPDATE' and old.released_at is not null then
        raise exception 'a legal hold that was released stays as it is' using errcode = 'restrict_violation';
      end if;
      return coalesce(new, old);
    end $$`);
  await q.query(`
    create trigger kept before update or delete on legal_hold
      for each row execute function refuse_end_of_hold()`);
  await q.query(`
    create function audit_erase_person(person uuid) returns bigint
      language plpgsql security definer set search_path = pg_catalog, public as $$
    declare
      erased bigint;
    begin
      if exists (select from legal_hold where tenant_id = app_tenant() and released_at is null
                 and (scope = 'tenant' or scope = 'user' and subject = person::text)) then
        raise exception 'a legal hold is in force' using errcode = 'restrict_violation';
      end if;
      delete from audit_pii where tenant_id = app_tenant() and subject = person;
      get diagnostics erased = row_count;
      return erased;
    end $$`);
}

/**
 * Old events leave a log from its beginning on, up to the place that a tombstone in the log itself names. The tombstone
 * has to be sealed and under a signature first, so that whoever verifies can tell this from any other deletion.
 */
async function createRetirement(q: QueryRunner): Promise<void> {
  await q.query(`
    create table audit_retirement (
      tenant_id uuid not null,
      upto bigint not null check (upto > 0),
      event_id uuid not null,
      archive text not null,
      told_at timestamptz not null default clock_timestamp(),
      retired_at timestamptz,
      primary key (tenant_id, upto)
    )`);
  await isolateTenants(q, 'audit_retirement');
  await q.query(`revoke insert, update, delete, truncate on audit_retirement from navigator_app`);
  await q.query(`grant insert (tenant_id, upto, event_id, archive) on audit_retirement to navigator_app`);
  await q.query(`
    create function audit_held_from() returns bigint
      language sql stable security definer set search_path = pg_catalog, public as $$
        select min(case when h.scope in ('tenant', 'collection') then 0 else (
          select min(l.leaf_index) from audit_event e
          join audit_leaf l on l.tenant_id = e.tenant_id and l.event_id = e.id
          where e.tenant_id = h.tenant_id
            and (h.scope = 'user' and e.actor_id::text = h.subject
                 or e.targets @> jsonb_build_array(jsonb_build_object('id', h.subject)))) end)
        from legal_hold h where h.tenant_id = app_tenant() and h.released_at is null
      $$`);
  await q.query(`
    create function audit_tombstone_end(tombstone uuid) returns bigint
      language sql stable set search_path = pg_catalog, public as $$
        select (e.detail->>'to')::bigint from audit_event e
        join audit_leaf l on l.tenant_id = e.tenant_id and l.event_id = e.id
        where e.tenant_id = app_tenant() and e.id = tombstone
          and e.action = 'audit.retention' and e.actor_type = 'system' and e.outcome = 'success'
          and (e.detail->>'to')::bigint <= l.leaf_index
          and exists (select from audit_head h where h.tenant_id = e.tenant_id and h.size > l.leaf_index)
      $$`);
  await q.query(RETIRE);
  await letRetirementThrough(q);
}

const RETIRE = `
  create function audit_retire(tombstone uuid) returns bigint
    language plpgsql security definer set search_path = pg_catalog, public as $$
  declare
    beginning bigint := (select coalesce(max(upto), 0) from audit_retirement
                         where tenant_id = app_tenant() and retired_at is not null);
    ending bigint := audit_tombstone_end(tombstone);
    days int := (select (settings->>'audit_retention_days')::int from tenant where tenant_id = app_tenant());
    gone bigint;
  begin
    if ending is null then
      raise exception 'no signed tombstone tells of it' using errcode = 'insufficient_privilege';
    elsif days is null then
      raise exception 'this log is kept' using errcode = 'insufficient_privilege';
    elsif audit_held_from() < ending then
      raise exception 'a legal hold is in force' using errcode = 'restrict_violation';
    elsif exists (select from audit_leaf l join audit_event e on e.tenant_id = l.tenant_id and e.id = l.event_id
                  where l.tenant_id = app_tenant() and l.leaf_index >= beginning and l.leaf_index < ending
                    and e.occurred_at > now() - make_interval(days => greatest(days, ${LEAST_DAYS}))) then
      raise exception 'an event is not old enough' using errcode = 'insufficient_privilege';
    end if;
    perform set_config('app.audit_tombstone', tombstone::text, true);
    delete from audit_event e using audit_leaf l
    where l.tenant_id = app_tenant() and l.leaf_index >= beginning and l.leaf_index < ending
      and e.tenant_id = l.tenant_id and e.id = l.event_id;
    get diagnostics gone = row_count;
    perform set_config('app.audit_tombstone', '', true);
    -- Events refer to what was written minutes before them at most.
    delete from audit_pii where tenant_id = app_tenant()
      and written_at < (select min(occurred_at) from audit_event where tenant_id = app_tenant()) - interval '1 hour';
    update audit_retirement set retired_at = clock_timestamp()
    where tenant_id = app_tenant() and event_id = tombstone and upto = ending;
    return gone;
  end $$`;

/** Deleting is refused unless a tombstone is named, and taken back unless the tombstone tells of each row. */
async function letRetirementThrough(q: QueryRunner): Promise<void> {
  await q.query(`drop trigger append_only on audit_event`);
  await q.query(`
    create function refuse_all_but_retirement() returns trigger language plpgsql as $$
    declare
      tombstone text := current_setting('app.audit_tombstone', true);
      ending bigint;
    begin
      if coalesce(tombstone, '') = '' then
        raise exception 'the audit log is append-only' using errcode = 'insufficient_privilege';
      end if;
      if tg_when = 'AFTER' then
        ending := audit_tombstone_end(tombstone::uuid);
        if exists (select from gone g left join audit_leaf l on l.tenant_id = g.tenant_id and l.event_id = g.id
                   where ending is null or g.tenant_id <> app_tenant() or l.leaf_index is null
                     or l.leaf_index >= ending) then
          raise exception 'the audit log is append-only' using errcode = 'insufficient_privilege';
        end if;
      end if;
      return null;
    end $$`);
  await q.query(`
    create trigger append_only before update or truncate on audit_event
      for each statement execute function refuse_change_of_audit()`);
  await q.query(`
    create trigger only_by_tombstone before delete on audit_event
      for each statement execute function refuse_all_but_retirement()`);
  await q.query(`
    create trigger only_what_is_told after delete on audit_event referencing old table as gone
      for each statement execute function refuse_all_but_retirement()`);
  for (const each of ['append_only', 'only_by_tombstone', 'only_what_is_told'])
    await q.query(`alter table audit_event enable always trigger ${each}`);
}
