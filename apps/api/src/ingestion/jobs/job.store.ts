import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { TenantDb } from '#libs/database';
import { type WorkerConfig, workerSection } from '../ingestion.config.js';
import { type ClaimedJob, LeaseLost } from './job.js';
import { notifyJobQueued } from './notifications.js';

/** Stages write passages of whole documents, which takes longer than a request may. */
const STAGE_STATEMENT_TIMEOUT_MS = 120_000;

export interface QueueState {
  waiting: number;
  /** How long the oldest job that could run has waited. */
  oldestSeconds: number;
}

/**
 * All SQL on `job`. PostgreSQL's clock is the only one that counts, and a job changes hands by its fencing token:
 * every claim takes a new one, and every write of a stage checks in its own transaction that it is still the newest.
 */
@Injectable()
export class JobStore {
  constructor(
    private readonly db: TenantDb,
    @Inject(workerSection.token) private readonly config: Pick<WorkerConfig, 'leaseMs' | 'retryDelayMs'>,
  ) {}

  /** Part of the transaction that makes the document, so that neither is ever there without the other. */
  async enqueue(
    tx: EntityManager,
    { documentId, correlationId }: { documentId: string; correlationId: string | undefined },
    stages: readonly string[],
  ): Promise<void> {
    await tx.query(`insert into job (tenant_id, document_id, correlation_id) values (app_tenant(), $1, $2)`, [
      documentId,
      correlationId,
    ]);
    await tx.query(
      `insert into job_stage (tenant_id, document_id, name) select app_tenant(), $1, unnest($2::text[])`,
      [documentId, stages],
    );
    await notifyJobQueued(tx);
  }

  /** A failed job starts again where it failed: finished stages keep their checkpoints, the others their chance. */
  async requeue(tx: EntityManager, documentId: string, correlationId: string | undefined): Promise<void> {
    await tx.query(
      `update job set state = 'queued', run_at = now(), lost_leases = 0, correlation_id = $2
       where document_id = $1`,
      [documentId, correlationId],
    );
    await tx.query(
      `update job_stage set status = 'pending', attempts = 0, detail = null, started_at = null, finished_at = null
       where document_id = $1 and status <> 'done'`,
      [documentId],
    );
    await notifyJobQueued(tx);
  }

  /**
   * Takes the next job: of the tenant with the fewest jobs running, then of the one whose last turn is longest ago,
   * the oldest. Somebody's thousand documents do not make the others wait.
   */
  async claim(workerId: string): Promise<ClaimedJob | undefined> {
    const [rows] = await this.db.runAsWorker((tx) => tx.query(CLAIM, [workerId, this.config.leaseMs]));
    return rows[0];
  }

  /**
   * Puts back the jobs whose workers fell silent, and at once those of workers that are known to be dead. The first
   * time a job goes on at once; a job that was lost before waits, longer each time, because it may be what killed
   * them. Returns how many jobs there were.
   */
  async reclaim(deadWorkerIds: readonly string[] = []): Promise<number> {
    const [, count] = await this.db.runAsWorker((tx) =>
      tx.query(
        `update job
         set state = 'queued', worker_id = null, lease_until = null, lost_leases = lost_leases + 1,
             run_at = case when lost_leases = 0 then run_at
                           else now() + make_interval(secs => $2 / 1000.0 * 4 ^ (lost_leases - 1)) end
         where (tenant_id, document_id) in (
           select tenant_id, document_id from job
           where state = 'running' and (lease_until < now() or worker_id = any ($1))
           for update skip locked)`,
        [deadWorkerIds, this.config.retryDelayMs],
      ),
    );
    return count;
  }

  async listHolders(): Promise<string[]> {
    const rows: { workerId: string }[] = await this.db.runAsWorker((tx) =>
      tx.query(`select distinct worker_id as "workerId" from job where state = 'running'`),
    );
    return rows.map((row) => row.workerId);
  }

  /** False when the job is no longer ours. */
  async heartbeat(job: ClaimedJob): Promise<boolean> {
    return this.db.run(job.tenantId, (tx) => this.renew(tx, job));
  }

  /**
   * The only way in which a stage writes. The check locks the job's row until the commit, so a job cannot change
   * hands, and a document cannot be deleted, between the check and the write.
   *
   * @throws LeaseLost when the job is no longer ours; nothing is written then
   */
  async fenced<T>(job: ClaimedJob, write: (tx: EntityManager) => Promise<T>): Promise<T> {
    return this.db.run(
      job.tenantId,
      async (tx) => {
        if (!(await this.renew(tx, job))) throw new LeaseLost(job);
        return write(tx);
      },
      { timeoutMs: STAGE_STATEMENT_TIMEOUT_MS },
    );
  }

  /** Inside `fenced`: something of the job is finished for good, so it does not kill every worker. */
  async noteProgress(tx: EntityManager, job: ClaimedJob): Promise<void> {
    await tx.query(`update job set lost_leases = 0 where document_id = $1 and lost_leases > 0`, [
      job.documentId,
    ]);
  }

  /** Inside `fenced`: the job ends, and nobody holds it any more. */
  async finish(tx: EntityManager, job: ClaimedJob, state: 'done' | 'failed'): Promise<void> {
    await tx.query(`update job set state = $2, worker_id = null, lease_until = null where document_id = $1`, [
      job.documentId,
      state,
    ]);
  }

  /** Inside `fenced`: somebody goes on with the job, `delayMs` from now. */
  async defer(tx: EntityManager, job: ClaimedJob, delayMs: number): Promise<void> {
    await tx.query(
      `update job set state = 'queued', worker_id = null, lease_until = null,
              run_at = now() + make_interval(secs => $2 / 1000.0)
       where document_id = $1`,
      [job.documentId, delayMs],
    );
    if (delayMs === 0) await notifyJobQueued(tx);
  }

  /** Before a document is deleted: waits for a write of its job to end. Stages lock the job first, so we do too. */
  async lock(tx: EntityManager, documentId: string): Promise<void> {
    await tx.query(`select from job where document_id = $1 for update`, [documentId]);
  }

  async queueState(): Promise<QueueState> {
    const [row] = await this.db.runAsWorker((tx) =>
      tx.query(
        `select count(*)::int as waiting, coalesce(extract(epoch from now() - min(run_at)), 0)::float8 as "oldestSeconds"
         from job where state = 'queued' and run_at <= now()`,
      ),
    );
    return row;
  }

  private async renew(tx: EntityManager, job: ClaimedJob): Promise<boolean> {
    const [, count] = await tx.query(
      `update job set lease_until = now() + make_interval(secs => $3 / 1000.0)
       where document_id = $1 and fencing_token = $2 and state = 'running'`,
      [job.documentId, job.fencingToken, this.config.leaseMs],
    );
    return count === 1;
  }
}

/**
 * The recursive part steps from tenant to tenant along the index, so a claim costs what there are tenants with work
 * and not what there are jobs.
 */
const CLAIM = `
  with recursive waiting as (
    (select tenant_id from job where state = 'queued' order by tenant_id limit 1)
    union all
    select (select j.tenant_id from job j where j.state = 'queued' and j.tenant_id > w.tenant_id
            order by j.tenant_id limit 1)
    from waiting w where w.tenant_id is not null
  ), turn as materialized (
    select w.tenant_id
    from waiting w
    where w.tenant_id is not null
    order by (select count(*) from job j where j.tenant_id = w.tenant_id and j.state = 'running'),
             (select max(j.claimed_at) from job j where j.tenant_id = w.tenant_id) nulls first
  ), next as materialized (
    select j.tenant_id, j.document_id
    from turn t
    cross join lateral (
      select tenant_id, document_id from job
      where tenant_id = t.tenant_id and state = 'queued' and run_at <= now()
      order by run_at limit 1
      for update skip locked
    ) j
    limit 1
  )
  update job
  set state = 'running', worker_id = $1, claimed_at = clock_timestamp(),
      fencing_token = nextval('job_fencing_token'),
      lease_until = now() + make_interval(secs => $2 / 1000.0)
  from next
  where job.tenant_id = next.tenant_id and job.document_id = next.document_id
  returning job.tenant_id as "tenantId", job.document_id as "documentId", generation,
            fencing_token as "fencingToken", correlation_id as "correlationId",
            lost_leases as "lostLeases",
            (extract(epoch from now() - run_at) * 1000)::float8 as "waitedMs"`;
