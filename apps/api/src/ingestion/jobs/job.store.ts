import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { TenantDb } from '#libs/database';
import { type WorkerConfig, workerSection } from '../ingestion.config.js';
import { CLAIM, INSTALLATION, LOCK_LIMITS } from './claim.js';
import { type ClaimedJob, LeaseLost, type Priority, rankOf } from './job.js';
import { notifyJobQueued, notifyJobRevoked } from './notifications.js';

/** Stages write passages of whole documents, which takes longer than a request may. */
const OF_STAGES = { timeoutMs: 120_000, keepsPlans: true };

/**
 * A job that lost its worker again and again waits no longer than this, or than the configured pause: it goes on within
 * half a minute, and is given up after some times anyway.
 */
const LONGEST_PAUSE_MS = 10_000;

/** Takes part in a transaction that is about to look things up. */
type Join = <T>(look: (tx: EntityManager) => Promise<T>) => Promise<T>;

export interface QueueState {
  waiting: number;
  /** How long the oldest job that could run has waited, unless it is made to. */
  oldestSeconds: number;
}

/**
 * All SQL on `job`. PostgreSQL's clock is the only one that counts, and a job changes hands by its fencing token:
 * every claim takes a new one, and every write of a stage checks in its own transaction that it is still the newest.
 *
 * Workers see the jobs of all tenants, so row-level security is no condition that an index serves: what is about one
 * tenant names it.
 */
@Injectable()
export class JobStore {
  private readonly looking = new WeakMap<ClaimedJob, Join>();

  constructor(
    private readonly db: TenantDb,
    @Inject(workerSection.token) private readonly config: Pick<WorkerConfig, 'leaseMs' | 'retryDelayMs'>,
  ) {}

  /** Part of the transaction that makes the document, so that neither is ever there without the other. */
  async enqueue(
    tx: EntityManager,
    {
      documentId,
      correlationId,
      priority = 'normal',
    }: { documentId: string; correlationId: string | undefined; priority?: Priority },
    stages: readonly string[],
  ): Promise<void> {
    await Promise.all([
      tx.query(
        `insert into job (tenant_id, document_id, correlation_id, priority) values (app_tenant(), $1, $2, $3)`,
        [documentId, correlationId, rankOf(priority)],
      ),
      tx.query(
        `insert into job_stage (tenant_id, document_id, name) select app_tenant(), $1, unnest($2::text[])`,
        [documentId, stages],
      ),
      notifyJobQueued(tx),
    ]);
  }

  /** The job starts again: finished stages keep their checkpoints, the others get their chance. */
  async requeue(tx: EntityManager, documentId: string, correlationId: string | undefined): Promise<void> {
    await tx.query(
      `update job
       set state = 'queued', state_since = now(), run_at = now(), lost_leases = 0, correlation_id = $2
       where tenant_id = app_tenant() and document_id = $1`,
      [documentId, correlationId],
    );
    await tx.query(
      `update job_stage set status = 'pending', attempts = 0, detail = null, started_at = null, finished_at = null
       where document_id = $1 and status <> 'done'`,
      [documentId],
    );
    await notifyJobQueued(tx);
  }

  /** The next job of the tenant whose turn it is: somebody's thousand documents do not make the others wait. */
  async claim(workerId: string): Promise<ClaimedJob | undefined> {
    const [, [rows]] = await this.db.runAsWorker(
      // With parameters, if none: what has them keeps its plan, and planning these takes longer than running them.
      (tx) => Promise.all([tx.query(LOCK_LIMITS, []), tx.query(CLAIM, [workerId, this.config.leaseMs])]),
      { keepsPlans: true },
    );
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
         set state = 'queued', state_since = now(), worker_id = null, lease_until = null,
             lost_leases = lost_leases + 1,
             run_at = case when lost_leases = 0 then run_at
                           else now() + make_interval(secs => least($2 * 4 ^ (lost_leases - 1), $3) / 1000.0) end
         where (tenant_id, document_id) in (
           select tenant_id, document_id from job
           where state = 'running' and (lease_until < now() or worker_id = any ($1))
           for update skip locked)`,
        [deadWorkerIds, this.config.retryDelayMs, Math.max(LONGEST_PAUSE_MS, this.config.retryDelayMs)],
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
   * hands, and a document cannot be deleted, between the check and the write. What the job owes is written first.
   *
   * @throws LeaseLost when the job is no longer ours; nothing is written then
   */
  fenced<T>(job: ClaimedJob, write: (tx: EntityManager) => Promise<T>): Promise<T> {
    const before = job.lastWrite;
    const written = (async () => {
      await before?.catch(() => undefined);
      return this.writeFenced(job, write);
    })();
    job.lastWrite = written;
    return written;
  }

  /**
   * What a stage looks up; stages that begin at the same moment share a transaction. It may be out of date, or of a
   * document that is gone, when the job is no longer ours; what follows from it is then not written.
   */
  read<T>(job: ClaimedJob, look: (tx: EntityManager) => Promise<T>): Promise<T> {
    const join = this.looking.get(job) ?? this.lookTogether(job);
    return join(look);
  }

  /** Inside `fenced`: something of the job is finished for good, so it does not kill every worker. */
  async noteProgress(tx: EntityManager, job: ClaimedJob): Promise<void> {
    job.gotOn?.();
    if (job.lostLeases === 0) return;
    await tx.query(`update job set lost_leases = 0 where tenant_id = app_tenant() and document_id = $1`, [
      job.documentId,
    ]);
  }

  /** Inside `fenced`: the job ends, or waits for a person, and nobody holds it any more. */
  async finish(tx: EntityManager, job: ClaimedJob, state: 'done' | 'failed' | 'review'): Promise<void> {
    await this.end(tx, job.documentId, state);
  }

  /** From outside, after `lock`: whoever holds the job is told, and writes nothing any more. */
  async revoke(tx: EntityManager, documentId: string, state: 'cancelled' | 'failed'): Promise<void> {
    await this.end(tx, documentId, state);
    await notifyJobRevoked(tx, documentId);
  }

  /** Also that of what came inside the document, however deep. */
  async setPriority(tx: EntityManager, documentId: string, priority: Priority): Promise<void> {
    await tx.query(
      `with recursive inside (id) as (
         select $1::uuid
         union
         select d.id from inside i join document d on d.tenant_id = app_tenant() and d.parent_id = i.id
       )
       update job set priority = $2 where tenant_id = app_tenant() and document_id in (select id from inside)`,
      [documentId, rankOf(priority)],
    );
  }

  /** The generation that the job writes, or has written. */
  async generation(tx: EntityManager, documentId: string): Promise<number> {
    const [row] = await tx.query(
      `select generation from job where tenant_id = app_tenant() and document_id = $1`,
      [documentId],
    );
    return row.generation;
  }

  /** What the job makes from now on stands beside what it made before, which goes on being found meanwhile. */
  async beginGeneration(tx: EntityManager, documentId: string): Promise<void> {
    await tx.query(
      `update job set generation = generation + 1 where tenant_id = app_tenant() and document_id = $1`,
      [documentId],
    );
  }

  /** Inside `fenced`: somebody goes on with the job, `delayMs` from now. */
  async defer(tx: EntityManager, job: ClaimedJob, delayMs: number): Promise<void> {
    await tx.query(
      `update job set state = 'queued', state_since = now(), worker_id = null, lease_until = null,
              run_at = now() + make_interval(secs => $2 / 1000.0)
       where tenant_id = app_tenant() and document_id = $1`,
      [job.documentId, delayMs],
    );
    if (delayMs === 0) await notifyJobQueued(tx);
  }

  /** Before a document is deleted: waits for a write of its job to end. Stages lock the job first, so we do too. */
  async lock(tx: EntityManager, documentId: string): Promise<void> {
    await tx.query(`select from job where tenant_id = app_tenant() and document_id = $1 for update`, [
      documentId,
    ]);
  }

  async queueState(): Promise<QueueState> {
    const [row] = await this.db.runAsWorker((tx) =>
      tx.query(
        `select count(*)::int as waiting,
                coalesce(extract(epoch from now() - min(run_at) filter (where not j.is_paused)), 0)::float8
                  as "oldestSeconds"
         from (select run_at, exists (select from ingestion_control c
                                      where c.tenant_id in (job.tenant_id, $1) and c.paused_at is not null)
                              as is_paused
               from job where state = 'queued' and run_at <= now()) j`,
        [INSTALLATION],
      ),
    );
    return row;
  }

  private lookTogether(job: ClaimedJob): Join {
    const looks: ((tx: EntityManager) => Promise<unknown>)[] = [];
    const seen = Promise.resolve().then(() => {
      this.looking.delete(job);
      return this.db.read(job.tenantId, (tx) => Promise.all(looks.map((look) => look(tx))), OF_STAGES);
    });
    const join = async <T>(look: (tx: EntityManager) => Promise<T>) => {
      const at = looks.push(look) - 1;
      return (await seen)[at] as T;
    };
    this.looking.set(job, join);
    return join;
  }

  private async writeFenced<T>(job: ClaimedJob, write: (tx: EntityManager) => Promise<T>): Promise<T> {
    let paid: (() => void) | undefined;
    const result = await this.db.run(
      job.tenantId,
      async (tx) => {
        if (!(await this.hold(tx, job))) throw new LeaseLost(job);
        paid = await job.writeOwed?.(tx);
        return write(tx);
      },
      OF_STAGES,
    );
    paid?.();
    return result;
  }

  private async end(tx: EntityManager, documentId: string, state: string): Promise<void> {
    await tx.query(
      `update job set state = $2, state_since = now(), worker_id = null, lease_until = null
       where tenant_id = app_tenant() and document_id = $1`,
      [documentId, state],
    );
  }

  /**
   * Locks the job's row and says whether the job is ours. The lease is left to the heartbeats: a new version of the row
   * for each write of each stage took more of PostgreSQL's time than all else together.
   */
  private async hold(tx: EntityManager, job: ClaimedJob): Promise<boolean> {
    const [row] = await tx.query(
      `select state = 'running' and fencing_token = $2 as held from job
       where tenant_id = app_tenant() and document_id = $1 for no key update`,
      [job.documentId, job.fencingToken],
    );
    return row?.held ?? false;
  }

  private async renew(tx: EntityManager, job: ClaimedJob): Promise<boolean> {
    const [, count] = await tx.query(
      `update job set lease_until = now() + make_interval(secs => $3 / 1000.0)
       where tenant_id = app_tenant() and document_id = $1 and fencing_token = $2 and state = 'running'`,
      [job.documentId, job.fencingToken, this.config.leaseMs],
    );
    return count === 1;
  }
}
