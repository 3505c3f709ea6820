import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { rankOf } from '../jobs/job.js';
import { reindexItems } from './reindexes.metrics.js';
import type { BegunItem, OpenItem, ReindexItemState } from './reindex.js';

/** Ended orders are kept so long. */
const KEPT_DAYS = 90;

/** The SQL of whoever carries out orders. What is taken is locked until the end of the transaction, and nobody waits for it. */
@Injectable()
export class ReindexQueue {
  /** As a worker: tenants with orders that have not ended. */
  async listTenants(tx: EntityManager): Promise<string[]> {
    const rows: { id: string }[] = await tx.query(
      `select distinct tenant_id as id from reindex where finished_at is null`,
    );
    return rows.map((row) => row.id);
  }

  /** As a worker. */
  async forgetOld(tx: EntityManager): Promise<void> {
    await tx.query(`delete from reindex where finished_at < now() - make_interval(days => $1)`, [KEPT_DAYS]);
  }

  /** Documents that are on their way through the workflow by an order; those that wait for a person are not. */
  async countUnderWay(tx: EntityManager): Promise<number> {
    const [row] = await tx.query(
      `select count(*)::int as count
       from reindex r
       join reindex_item i on i.tenant_id = r.tenant_id and i.reindex_id = r.id and i.state = 'running'
       join job j on j.tenant_id = i.tenant_id and j.document_id = i.document_id
       where r.tenant_id = app_tenant() and r.finished_at is null and j.state in ('queued', 'running')`,
    );
    return row.count;
  }

  /** The next one whose document rests, of the oldest order. */
  takeWaiting(tx: EntityManager): Promise<OpenItem | undefined> {
    return this.take(
      tx,
      `r.state = 'running' and i.state = 'waiting' and (d.id is null or d.status not in ('queued', 'processing'))`,
    );
  }

  /** The next one that is to go back. */
  takeSwitched(tx: EntityManager): Promise<OpenItem | undefined> {
    return this.take(tx, `r.state = 'rolling_back' and i.state = 'switched' and i.reason_code is null`);
  }

  /** What was begun before its order was cancelled. Not locked: whoever locks the job looks again. */
  async listToCancel(tx: EntityManager, reindexId?: string): Promise<OpenItem[]> {
    return tx.query(
      `${ITEM} where r.tenant_id = app_tenant() and r.finished_at is null and r.state = 'cancelled' and i.state = 'running'
         and ($1::uuid is null or r.id = $1)`,
      [reindexId],
    );
  }

  /** Before something is done about a begun item whose job is locked. */
  async isRunning(tx: EntityManager, { reindexId, documentId }: OpenItem): Promise<boolean> {
    const rows = await tx.query(
      `select from reindex_item
       where tenant_id = app_tenant() and reindex_id = $1 and document_id = $2 and state = 'running'`,
      [reindexId, documentId],
    );
    return rows.length > 0;
  }

  async begin(
    tx: EntityManager,
    { reindexId, documentId }: OpenItem,
    { generation, priority }: BegunItem,
  ): Promise<void> {
    await tx.query(
      `update reindex_item set state = 'running', generation = $3, priority = $4, begun_at = now()
       where tenant_id = app_tenant() and reindex_id = $1 and document_id = $2`,
      [reindexId, documentId, generation, rankOf(priority)],
    );
  }

  async settle(
    tx: EntityManager,
    { reindexId, documentId }: OpenItem,
    state: ReindexItemState,
    reasonCode?: string,
  ): Promise<void> {
    await tx.query(
      `with settled as (
         update reindex_item set state = $3, reason_code = $4, settled_at = now()
         where tenant_id = app_tenant() and reindex_id = $1 and document_id = $2
         returning tenant_id, document_id, priority)
       ${RESTORE_PRIORITY}`,
      [reindexId, documentId, state, reasonCode],
    );
  }

  /** Part of the transaction in which questions begin to find the generation, while the job is locked. */
  async noteSwitched(tx: EntityManager, documentId: string, generation: number): Promise<void> {
    const [row] = await tx.query(
      `with settled as (
         update reindex_item set state = 'switched', settled_at = now()
         where tenant_id = app_tenant() and document_id = $1 and generation = $2 and state = 'running'
         returning tenant_id, document_id, priority
       ), restored as (${RESTORE_PRIORITY})
       select count(*)::int as count from settled`,
      [documentId, generation],
    );
    if (row.count > 0) reindexItems.inc({ outcome: 'switched', reason: '' });
  }

  /** Those whose documents have ended without a switch, with how they ended. */
  listEnded(tx: EntityManager): Promise<(OpenItem & { state: ReindexItemState; reasonCode: string })[]> {
    return tx.query(
      `select o.*, case when d.id is null then 'skipped' when j.state = 'cancelled' then 'cancelled' else 'failed' end
                     as state,
              case when d.id is null then 'document-deleted' when j.state = 'cancelled' then 'cancelled'
                   else coalesce(d.reason_code, 'superseded') end as "reasonCode"
       from (${ITEM} where r.tenant_id = app_tenant() and r.finished_at is null and i.state = 'running') o
       left join document d on d.tenant_id = app_tenant() and d.id = o."documentId"
       left join job j on j.tenant_id = d.tenant_id and j.document_id = d.id
       where d.id is null or d.status in ('ready', 'failed', 'cancelled')`,
    );
  }

  /** Notes the end of orders of which nothing is left to do. */
  async finish(tx: EntityManager): Promise<void> {
    await tx.query(
      `update reindex r
       set finished_at = now(),
           state = case state when 'running' then 'finished' when 'rolling_back' then 'rolled_back' else state end
       where tenant_id = app_tenant() and finished_at is null
         and not exists (
           select from reindex_item i
           where i.tenant_id = r.tenant_id and i.reindex_id = r.id and i.state in ('waiting', 'running'))
         and (state <> 'rolling_back' or not exists (
           select from reindex_item i
           where i.tenant_id = r.tenant_id and i.reindex_id = r.id and i.state = 'switched'
             and i.reason_code is null))`,
    );
  }

  private async take(tx: EntityManager, condition: string): Promise<OpenItem | undefined> {
    const [row] = await tx.query(
      `${ITEM}
       left join document d on d.tenant_id = i.tenant_id and d.id = i.document_id
       where r.tenant_id = app_tenant() and r.finished_at is null and ${condition}
       order by r.created_at, r.id, i.document_id limit 1
       for update of i skip locked`,
    );
    return row;
  }
}

const ITEM = `
  select i.reindex_id as "reindexId", i.document_id as "documentId", r.from_stage as "from",
         r.correlation_id as "correlationId", i.generation
  from reindex r
  join reindex_item i on i.tenant_id = r.tenant_id and i.reindex_id = r.id`;

/** The job is as urgent again as it was before the order. */
const RESTORE_PRIORITY = `
  update job j set priority = settled.priority from settled
  where j.tenant_id = settled.tenant_id and j.document_id = settled.document_id and settled.priority is not null
    and j.priority <> settled.priority`;
