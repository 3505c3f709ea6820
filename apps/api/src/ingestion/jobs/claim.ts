/** The row of `ingestion_control` that holds for the whole installation. No tenant can have this id. */
export const INSTALLATION = '00000000-0000-0000-0000-000000000000';

/**
 * A limit is counted and used by one claim at a time, or two workers would both take its last place. Without any limit
 * nobody waits. The claim is a statement of its own, because it must see what whoever held the lock before has taken.
 */
export const LOCK_LIMITS = `
  select pg_advisory_xact_lock(7214002)
  from (select from ingestion_control where max_running is not null limit 1) as limited`;

/**
 * Takes the next job: of the tenant with the fewest jobs running, then of the one whose last turn is longest ago, the
 * one whose turn it is. The recursive part steps from tenant to tenant along the index, so a claim costs what there are
 * tenants with work and not what there are jobs. $1 is the worker, $2 the lease in milliseconds.
 */
export const CLAIM = `
  with recursive waiting as (
    (select tenant_id from job where state = 'queued' order by tenant_id limit 1)
    union all
    select (select j.tenant_id from job j where j.state = 'queued' and j.tenant_id > w.tenant_id
            order by j.tenant_id limit 1)
    from waiting w where w.tenant_id is not null
  ), turn as materialized (
    select w.tenant_id
    from waiting w
    left join ingestion_control c on c.tenant_id = w.tenant_id
    cross join lateral (
      select count(*) as running from job j where j.tenant_id = w.tenant_id and j.state = 'running'
    ) r
    where w.tenant_id is not null and c.paused_at is null
      and not exists (select from tenant s where s.tenant_id = w.tenant_id and s.suspended_at is not null)
      and (c.max_running is null or r.running < c.max_running)
      and not exists (
        select from ingestion_control i
        where i.tenant_id = '${INSTALLATION}'
          and (i.paused_at is not null
               or i.max_running <= (select count(*) from job j where j.state = 'running')))
    order by r.running,
             (select max(j.claimed_at) from job j where j.tenant_id = w.tenant_id) nulls first
  ), next as materialized (
    select j.tenant_id, j.document_id
    from turn t
    cross join lateral (
      select tenant_id, document_id from job
      where tenant_id = t.tenant_id and state = 'queued' and run_at <= now()
      order by turn_at limit 1
      for update skip locked
    ) j
    limit 1
  )
  update job
  set state = 'running', state_since = clock_timestamp(), worker_id = $1, claimed_at = clock_timestamp(),
      fencing_token = nextval('job_fencing_token'),
      lease_until = now() + make_interval(secs => $2 / 1000.0)
  from next
  where job.tenant_id = next.tenant_id and job.document_id = next.document_id
  returning job.tenant_id as "tenantId", job.document_id as "documentId", generation,
            fencing_token as "fencingToken", correlation_id as "correlationId",
            lost_leases as "lostLeases",
            (extract(epoch from now() - run_at) * 1000)::float8 as "waitedMs"`;
