export const IMPORT = `
  select b.id, b.tenant_id as "tenantId", b.owner_id as "ownerId", b.state, b.visibility, b.collection, b.tags,
         b.priority as "priorityRank", coalesce(b.receiving_until > now(), false) as "isReceiving",
         b.rate_since as "rateSince", b.created_at as "createdAt", b.finished_at as "finishedAt",
         b.created_at::text as position
  from import_batch b`;

/** $1 is who asks: the names in private imports of others are not told. */
export const ITEM = `
  select i.ordinal, i.kind, case when s.may_read then i.name end as name,
         case when s.may_read then i.url end as url, i.state, i.document_id as "documentId",
         d.status as "documentStatus", d.reason_code as "documentReasonCode",
         d.reason_detail as "documentReasonDetail", i.is_repeat as "isRepeat", i.reason_code as "reasonCode",
         i.reason_detail as "reasonDetail", i.size_bytes::float8 as "sizeBytes", i.attempts,
         i.settled_at as "settledAt"
  from import_item i
  join import_batch b on b.tenant_id = i.tenant_id and b.id = i.batch_id
  cross join lateral (select b.owner_id = $1 or b.visibility = 'tenant' as may_read) s
  left join document d on d.tenant_id = i.tenant_id and d.id = i.document_id`;

/** A document that is worked on is as far as its stages are; one at rest, or deleted, is done. */
export const TALLY = `
  select i.batch_id as "batchId", i.state, i.kind = 'archive' as "isArchive", d.status as "documentStatus",
         count(*)::int as count,
         sum(case when i.state in ('waiting', 'running') or d.status = 'queued' then 0
                  when d.status = 'processing' then coalesce(s.progress, 0)
                  else 1 end)::float8 as done,
         count(*) filter (where
           case when d.id is null then i.state in ('accepted', 'refused') and i.settled_at >= b.rate_since
                else d.status not in ('queued', 'processing') and d.updated_at >= b.rate_since end)::int as recent
  from import_item i
  join import_batch b on b.tenant_id = i.tenant_id and b.id = i.batch_id
  left join document d on d.tenant_id = i.tenant_id and d.id = i.document_id
  left join lateral (
    select avg(case when js.status = 'done' then 1 else js.progress end) as progress
    from job_stage js where d.status = 'processing' and js.tenant_id = d.tenant_id and js.document_id = d.id
  ) s on true
  where i.tenant_id = app_tenant() and i.batch_id = any ($1::uuid[])
  group by 1, 2, 3, 4`;
