import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Reindex, ReindexItem, ReindexItemState, ReindexScope, ReindexState } from './reindex.js';

export interface NewReindex extends Pick<Reindex, 'id' | 'createdBy' | 'from'> {
  scope: ReindexScope;
  reason: string | undefined;
  correlationId: string | undefined;
}

export interface ReindexTally {
  reindexId: string;
  state: ReindexItemState;
  count: number;
}

/** Where a page of the list ended. The time is PostgreSQL's own text, which keeps its microseconds. */
export interface ReindexPosition {
  createdAt: string;
  id: string;
}

/** All SQL on orders but that of whoever carries them out. */
@Injectable()
export class ReindexStore {
  /**
   * The order and its items, however many documents that are. One that is there already stays as it is. Ids that no
   * document has are skipped by name.
   */
  async insert(
    tx: EntityManager,
    { id, createdBy, scope, from, reason, correlationId }: NewReindex,
  ): Promise<void> {
    const ids = 'document_ids' in scope ? [...new Set(scope.document_ids)] : null;
    const shown = ids ? { documents: ids.length } : scope;
    const rows: unknown[] = await tx.query(
      `insert into reindex (tenant_id, id, created_by, scope, from_stage, reason, correlation_id)
       values (app_tenant(), $1, $2, $3, $4, $5, $6) on conflict do nothing returning id`,
      [id, createdBy, shown, from, reason, correlationId],
    );
    if (rows.length === 0) return;
    await tx.query(
      ids
        ? `insert into reindex_item (tenant_id, reindex_id, document_id, state, reason_code, settled_at)
           select app_tenant(), $1, given.id, case when d.id is null then 'skipped' else 'waiting' end,
                  case when d.id is null then 'document-not-found' end, case when d.id is null then now() end
           from unnest($2::uuid[]) as given (id)
           left join document d on d.tenant_id = app_tenant() and d.id = given.id`
        : `insert into reindex_item (tenant_id, reindex_id, document_id)
           select tenant_id, $1, id from document
           where tenant_id = app_tenant() and ($2::text is null or collection = $2)`,
      [id, ids ?? ('collection' in scope ? scope.collection : null)],
    );
  }

  async find(tx: EntityManager, id: string): Promise<Reindex | undefined> {
    const [row] = await tx.query(`${REINDEX} where tenant_id = app_tenant() and id = $1`, [id]);
    return row;
  }

  /** For whoever changes its state. */
  async lock(tx: EntityManager, id: string): Promise<void> {
    await tx.query(`select from reindex where tenant_id = app_tenant() and id = $1 for update`, [id]);
  }

  /** Newest first. */
  async list(
    tx: EntityManager,
    after: ReindexPosition | undefined,
    limit: number,
  ): Promise<{ reindex: Reindex; position: ReindexPosition }[]> {
    const rows: (Reindex & { position: string })[] = await tx.query(
      `${REINDEX}
       where tenant_id = app_tenant() and ($1::timestamptz is null or (created_at, id) < ($1, $2::uuid))
       order by created_at desc, id desc limit $3`,
      [after?.createdAt, after?.id, limit],
    );
    return rows.map((row) => ({ reindex: row, position: { createdAt: row.position, id: row.id } }));
  }

  tally(tx: EntityManager, ids: readonly string[]): Promise<ReindexTally[]> {
    return tx.query(
      `select reindex_id as "reindexId", state, count(*)::int as count from reindex_item
       where tenant_id = app_tenant() and reindex_id = any ($1::uuid[]) group by 1, 2`,
      [ids],
    );
  }

  /** By the ids of their documents. */
  listItems(
    tx: EntityManager,
    id: string,
    { state, after, limit }: { state?: ReindexItemState; after?: string; limit: number },
  ): Promise<ReindexItem[]> {
    return tx.query(
      `select i.document_id as "documentId", i.state, i.reason_code as "reasonCode", d.status as "documentStatus",
              i.begun_at as "begunAt", i.settled_at as "settledAt"
       from reindex_item i
       left join document d on d.tenant_id = i.tenant_id and d.id = i.document_id
       where i.tenant_id = app_tenant() and i.reindex_id = $1 and ($2::text is null or i.state = $2)
         and ($3::uuid is null or i.document_id > $3)
       order by i.document_id limit $4`,
      [id, state, after, limit],
    );
  }

  /** It has something to do again until a worker finds that nothing is left. */
  async setState(tx: EntityManager, id: string, state: ReindexState): Promise<void> {
    await tx.query(
      `update reindex set state = $2, finished_at = null where tenant_id = app_tenant() and id = $1`,
      [id, state],
    );
  }

  /** What waits is not begun. */
  async cancelWaiting(tx: EntityManager, id: string): Promise<void> {
    await tx.query(
      `update reindex_item set state = 'cancelled', reason_code = 'cancelled', settled_at = now()
       where tenant_id = app_tenant() and reindex_id = $1 and state = 'waiting'`,
      [id],
    );
  }
}

const REINDEX = `
  select id, created_by as "createdBy", scope, from_stage as "from", reason, state, created_at as "createdAt",
         finished_at as "finishedAt", created_at::text as position
  from reindex`;
