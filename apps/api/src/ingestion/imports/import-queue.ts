import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { TenantDb } from '#libs/database';
import { type WorkerConfig, workerSection } from '../ingestion.config.js';
import { notifyDocumentChanged } from '../jobs/notifications.js';
import { type ClaimedItem, type ImportState, type Refusal } from './import.js';
import { ItemLost } from './import.errors.js';

/** Making a document waits for the content's lock, and for the disk. */
const SETTLE_TIMEOUT_MS = 120_000;

export interface FinishedImport {
  tenantId: string;
  id: string;
  seconds: number;
}

/**
 * What waits to be unpacked or fetched, over all tenants. An item changes hands by its claim: whoever settles it checks
 * in the same transaction that the claim is still his, so that nothing is made twice.
 */
@Injectable()
export class ImportQueue {
  constructor(
    private readonly db: TenantDb,
    @Inject(workerSection.token) private readonly config: Pick<WorkerConfig, 'leaseMs' | 'retryDelayMs'>,
  ) {}

  /** The next item of the tenant that has the fewest under way, then of the one whose last turn is longest ago. */
  async claim(workerId: string): Promise<ClaimedItem | undefined> {
    const [rows] = await this.db.runAsWorker((tx) => tx.query(CLAIM, [workerId, this.config.leaseMs]));
    return rows[0];
  }

  /** False when the item is no longer ours. */
  renew(item: ClaimedItem): Promise<boolean> {
    return this.db.run(item.tenantId, (tx) => this.hold(tx, item));
  }

  /**
   * The only way in which what became of an item is written. The import and the item are locked until the commit.
   *
   * @throws ItemLost when the item is no longer ours; nothing is written then
   */
  settle<T>(
    item: ClaimedItem,
    write: (tx: EntityManager, state: ImportState) => Promise<T>,
    { addsItems = false } = {},
  ): Promise<T> {
    return this.db.run(
      item.tenantId,
      async (tx) => {
        // Whoever pauses or cancels waits for this; whoever only adds items to the import does not.
        const [batch] = await tx.query(
          `select state from import_batch where tenant_id = app_tenant() and id = $1 for ${addsItems ? 'no key update' : 'key share'}`,
          [item.batchId],
        );
        if (!batch || !(await this.hold(tx, item))) throw new ItemLost();
        const result = await write(tx, batch.state);
        await notifyDocumentChanged(tx, item.batchId);
        return result;
      },
      { timeoutMs: SETTLE_TIMEOUT_MS },
    );
  }

  /** Inside `settle`. */
  async accept(
    tx: EntityManager,
    item: ClaimedItem,
    { documentId, name, sizeBytes, isRepeat }: AcceptedItem,
  ): Promise<void> {
    await tx.query(
      `update import_item
       set state = 'accepted', document_id = $3, is_repeat = $4, name = $5, size_bytes = $6, ${SETTLED}
       where tenant_id = app_tenant() and batch_id = $1 and ordinal = $2`,
      [item.batchId, item.ordinal, documentId, isRepeat, name, sizeBytes],
    );
  }

  /** Inside `settle`. */
  async refuse(tx: EntityManager, item: ClaimedItem, { code, message }: Refusal): Promise<void> {
    await tx.query(
      `update import_item set state = 'refused', reason_code = $3, reason_detail = left($4, 500), ${SETTLED}
       where tenant_id = app_tenant() and batch_id = $1 and ordinal = $2`,
      [item.batchId, item.ordinal, code, message],
    );
  }

  /** Inside `settle`: for an archive whose entries have taken its place. */
  async remove(tx: EntityManager, item: ClaimedItem): Promise<void> {
    await tx.query(
      `delete from import_item where tenant_id = app_tenant() and batch_id = $1 and ordinal = $2`,
      [item.batchId, item.ordinal],
    );
  }

  /** Inside `settle`: it is tried again `delayMs` from now. */
  async defer(
    tx: EntityManager,
    item: ClaimedItem,
    { delayMs, isAttempt }: { delayMs: number; isAttempt: boolean },
  ): Promise<void> {
    await tx.query(
      `update import_item set state = 'waiting', ${RELEASED}, attempts = attempts + $3,
              run_at = now() + make_interval(secs => $4 / 1000.0)
       where tenant_id = app_tenant() and batch_id = $1 and ordinal = $2`,
      [item.batchId, item.ordinal, isAttempt ? 1 : 0, delayMs],
    );
  }

  /** Puts back what silent and dead workers held; it counts as an attempt, as it may be what killed them. */
  async reclaim(deadWorkerIds: readonly string[] = []): Promise<number> {
    const [, count] = await this.db.runAsWorker((tx) =>
      tx.query(
        `update import_item
         set state = 'waiting', ${RELEASED}, attempts = attempts + 1,
             run_at = case when attempts = 0 then run_at
                           else now() + make_interval(secs => $2 / 1000.0 * 4 ^ least(attempts, 6)) end
         where (tenant_id, batch_id, ordinal) in (
           select tenant_id, batch_id, ordinal from import_item
           where state = 'running' and (lease_until < now() or worker_id = any ($1))
           for update skip locked)`,
        [deadWorkerIds, this.config.retryDelayMs],
      ),
    );
    return count;
  }

  async listHolders(): Promise<string[]> {
    const rows: { workerId: string }[] = await this.db.runAsWorker((tx) =>
      tx.query(`select distinct worker_id as "workerId" from import_item where state = 'running'`),
    );
    return rows.map((row) => row.workerId);
  }

  /** Notes the end of imports of which nothing waits or is worked on any more, and tells those who watch them. */
  async finish(): Promise<FinishedImport[]> {
    return this.db.runAsWorker(async (tx) => {
      const [finished]: [FinishedImport[]] = await tx.query(FINISH);
      if (finished.length > 0) await notifyDocumentChanged(tx, ...finished.map(({ id }) => id));
      return finished;
    });
  }

  /** Imports that ended so long ago, with the lists of their files. */
  async forget(keepDays: number): Promise<void> {
    await this.db.runAsWorker((tx) =>
      tx.query(`delete from import_batch where finished_at < now() - make_interval(days => $1)`, [keepDays]),
    );
  }

  private async hold(tx: EntityManager, { batchId, ordinal, claimId }: ClaimedItem): Promise<boolean> {
    const [, count] = await tx.query(
      `update import_item set lease_until = now() + make_interval(secs => $4 / 1000.0)
       where tenant_id = app_tenant() and batch_id = $1 and ordinal = $2 and claim_id = $3 and state = 'running'`,
      [batchId, ordinal, claimId, this.config.leaseMs],
    );
    return count === 1;
  }
}

export interface AcceptedItem {
  documentId: string;
  name: string;
  sizeBytes: number;
  isRepeat: boolean;
}

const RELEASED = 'claim_id = null, worker_id = null, lease_until = null';
const SETTLED = `${RELEASED}, settled_at = now()`;

/** Steps from tenant to tenant along the index, as the claim of a job does. $1 is the worker, $2 the lease in ms. */
const CLAIM = `
  with recursive waiting as (
    (select tenant_id from import_item where state = 'waiting' order by tenant_id limit 1)
    union all
    select (select i.tenant_id from import_item i where i.state = 'waiting' and i.tenant_id > w.tenant_id
            order by i.tenant_id limit 1)
    from waiting w where w.tenant_id is not null
  ), turn as materialized (
    select w.tenant_id from waiting w
    where w.tenant_id is not null
    order by (select count(*) from import_item i where i.tenant_id = w.tenant_id and i.state = 'running'),
             (select max(i.claimed_at) from import_item i
              where i.tenant_id = w.tenant_id and i.claimed_at is not null) nulls first
  ), next as materialized (
    select i.* from turn t
    cross join lateral (
      select w.tenant_id, w.batch_id, w.ordinal from import_item w
      where w.tenant_id = t.tenant_id and w.state = 'waiting' and w.run_at <= now()
        and exists (select from import_batch b
                    where b.tenant_id = w.tenant_id and b.id = w.batch_id and b.state = 'running')
      order by w.run_at, w.ordinal limit 1
      for update skip locked
    ) i
    limit 1
  )
  update import_item i
  set state = 'running', claim_id = gen_random_uuid(), worker_id = $1, claimed_at = clock_timestamp(),
      lease_until = now() + make_interval(secs => $2 / 1000.0)
  from next, import_batch b
  where i.tenant_id = next.tenant_id and i.batch_id = next.batch_id and i.ordinal = next.ordinal
    and b.tenant_id = next.tenant_id and b.id = next.batch_id
  returning i.tenant_id as "tenantId", i.batch_id as "batchId", i.ordinal, i.kind, i.name, i.url,
            i.archive_sha256 as "archiveSha256", i.entry_index as "entryIndex", i.attempts,
            i.claim_id as "claimId", b.owner_id as "ownerId", b.visibility, b.collection, b.tags,
            b.priority as "priorityRank", b.correlation_id as "correlationId"`;

const FINISH = `
  update import_batch b set finished_at = clock_timestamp(), receiving_until = null
  where b.finished_at is null and (b.receiving_until is null or b.receiving_until < now())
    and not exists (select from import_item i where i.tenant_id = b.tenant_id and i.batch_id = b.id
                      and i.state in ('waiting', 'running'))
    and not exists (select from import_item i
                    join job j on j.tenant_id = i.tenant_id and j.document_id = i.document_id
                    where i.tenant_id = b.tenant_id and i.batch_id = b.id and j.state in ('queued', 'running'))
  returning b.tenant_id as "tenantId", b.id,
            extract(epoch from b.finished_at - b.created_at)::float8 as seconds`;
