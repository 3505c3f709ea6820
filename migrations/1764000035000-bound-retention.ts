import type { MigrationInterface, QueryRunner } from 'typeorm';

const LEAST_DAYS = 30;
const HELD_IN_LOG = 'audit_held_from()';
const HELD_BETWEEN = 'audit_held_from(bigint, bigint)';

/**
 * What retention and proofs ask takes no longer in a long log than in a short one. Holds are compared with the events that
 * are about to leave, of which there is a bounded number, instead of with the whole log; their targets and the state of a
 * tree of a size are found by an index.
 */
export class BoundRetention1764000035000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    await q.query(`create index audit_head_size on audit_head (tenant_id, size)`);
    await q.query(FIRST_HELD_BETWEEN);
    await letSealerCall(q, HELD_BETWEEN);
    await q.query(retireUnless('audit_held_from(beginning, ending)'));
    await q.query(`drop function ${HELD_IN_LOG}`);
    await q.query(FORGET_BY_INDEX);
  }

  async down(q: QueryRunner): Promise<void> {
    await q.query(FORGET_ALONG_TABLE);
    await q.query(FIRST_HELD_IN_LOG);
    await letSealerCall(q, HELD_IN_LOG);
    await q.query(retireUnless('audit_held_from()'));
    await q.query(`drop function ${HELD_BETWEEN}`);
    await q.query(`drop index audit_head_size`);
  }
}

async function letSealerCall(q: QueryRunner, signature: string): Promise<void> {
  await q.query(`revoke all on function ${signature} from public`);
  await q.query(`grant execute on function ${signature} to navigator_sealer`);
}

/**
 * The first of these places whose event a hold in force covers; null if none does. The events are read along their places:
 * times would not do, because what was spooled is older than what stands before it.
 */
const FIRST_HELD_BETWEEN = `
  create function audit_held_from(beginning bigint, ending bigint) returns bigint
    language sql stable security definer set search_path = pg_catalog, public as $$
      with hold as materialized (
        select scope, subject from legal_hold where tenant_id = app_tenant() and released_at is null
      )
      select case when exists (select from hold where scope in ('tenant', 'collection')) then 0 else (
        select min(l.leaf_index) from audit_leaf l
        join audit_event e on e.tenant_id = l.tenant_id and e.id = l.event_id
        where l.tenant_id = app_tenant() and l.leaf_index >= beginning and l.leaf_index < ending
          and exists (select from hold)
          and (e.actor_id::text in (select subject from hold where scope = 'user')
               or exists (select from jsonb_array_elements(e.targets) as a (target)
                          where target->>'id' in (select subject from hold)))) end
    $$`;

/** As it was before. */
const FIRST_HELD_IN_LOG = `
  create function audit_held_from() returns bigint
    language sql stable security definer set search_path = pg_catalog, public as $$
      select min(case when h.scope in ('tenant', 'collection') then 0 else (
        select min(l.leaf_index) from audit_event e
        join audit_leaf l on l.tenant_id = e.tenant_id and l.event_id = e.id
        where e.tenant_id = h.tenant_id
          and (h.scope = 'user' and e.actor_id::text = h.subject
               or e.targets @> jsonb_build_array(jsonb_build_object('id', h.subject)))) end)
      from legal_hold h where h.tenant_id = app_tenant() and h.released_at is null
    $$`;

/**
 * A row of the index for each target of an event that is gone. The planner takes arrays of JSON for long ones, and would
 * read the whole table, with the targets of all tenants, rather than look up so many.
 */
const FORGET_BY_INDEX = `
  create or replace function forget_audit_targets() returns trigger language plpgsql
    security definer set search_path = pg_catalog, public set enable_hashjoin = off set enable_mergejoin = off as $$
  begin
    delete from audit_target t using gone g cross join lateral jsonb_array_elements(g.targets) as a (target)
    where t.tenant_id = g.tenant_id and t.digest = hashtextextended(a.target->>'id', 0)
      and t.occurred_at = g.occurred_at and t.event_id = g.id;
    return null;
  end $$`;

/** As it was before. */
const FORGET_ALONG_TABLE = `
  create or replace function forget_audit_targets() returns trigger language plpgsql
    security definer set search_path = pg_catalog, public as $$
  begin
    delete from audit_target t using gone g
    where t.tenant_id = g.tenant_id and t.event_id = g.id and t.occurred_at = g.occurred_at
      and t.digest in (select hashtextextended(target->>'id', 0) from jsonb_array_elements(g.targets) as a (target));
    return null;
  end $$`;

/** @param firstHeld the place from which on events are under a hold */
const retireUnless = (firstHeld: string) => `
  create or replace function audit_retire(tombstone uuid) returns bigint
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
    elsif ${firstHeld} < ending then
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
