import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { notifyJobQueued } from '../jobs/notifications.js';

/** What was ordered for one tenant, or for the whole installation. */
export interface Control {
  tenantId: string;
  pausedAt: Date | null;
  pausedBy: string | null;
  pauseReason: string | null;
  /** Jobs that may run at the same time, on all workers together; null: as many as the workers take. */
  maxRunning: number | null;
}

/** How many documents are found by vectors of a model. */
export interface ModelShare {
  model: string;
  documents: number;
}

export interface TenantQueue {
  waiting: number;
  running: number;
  inReview: number;
  failed: number;
  /** From when the oldest waiting job could have run. */
  oldestSince: Date | null;
}

/** All SQL on `ingestion_control`, and the queue of one tenant in figures. Claims read the same rows, so all replicas obey. */
@Injectable()
export class ControlStore {
  /** The tenant's own and the installation's; one that was never ordered anything has no row. */
  async list(tx: EntityManager): Promise<Control[]> {
    return tx.query(
      `select tenant_id as "tenantId", paused_at as "pausedAt", paused_by as "pausedBy",
              pause_reason as "pauseReason", max_running as "maxRunning"
       from ingestion_control order by tenant_id`,
    );
  }

  /** Jobs that run are finished. Pausing what is paused keeps the first pause. */
  async pause(
    tx: EntityManager,
    tenantId: string,
    { by, reason }: { by: string; reason: string | undefined },
  ): Promise<void> {
    await tx.query(
      `insert into ingestion_control (tenant_id, paused_at, paused_by, pause_reason) values ($1, now(), $2, $3)
       on conflict (tenant_id) do update
       set paused_at = excluded.paused_at, paused_by = excluded.paused_by, pause_reason = excluded.pause_reason,
           updated_at = now()
       where ingestion_control.paused_at is null`,
      [tenantId, by, reason],
    );
  }

  async resume(tx: EntityManager, tenantId: string): Promise<void> {
    await tx.query(
      `update ingestion_control
       set paused_at = null, paused_by = null, pause_reason = null, updated_at = now()
       where tenant_id = $1 and paused_at is not null`,
      [tenantId],
    );
    await notifyJobQueued(tx);
  }

  /** Holds for jobs that are taken from now on; null lifts it. */
  async limit(tx: EntityManager, tenantId: string, maxRunning: number | null): Promise<void> {
    await tx.query(
      `insert into ingestion_control (tenant_id, max_running) values ($1, $2)
       on conflict (tenant_id) do update set max_running = excluded.max_running, updated_at = now()`,
      [tenantId, maxRunning],
    );
    await notifyJobQueued(tx);
  }

  /** Each figure is read from an index over the jobs of that state. */
  async queue(tx: EntityManager): Promise<TenantQueue> {
    const [row] = await tx.query(
      `select q.waiting, q.oldest as "oldestSince",
              (select count(*)::int from job where tenant_id = app_tenant() and state = 'running') as running,
              (select count(*)::int from job where tenant_id = app_tenant() and state = 'review') as "inReview",
              (select count(*)::int from job where tenant_id = app_tenant() and state = 'failed') as failed
       from (select count(*)::int as waiting, min(run_at) filter (where run_at < 'infinity') as oldest from job where tenant_id = app_tenant() and state = 'queued') q`,
    );
    return row;
  }

  /** Of the tenant's documents, the model that has embedded most of them first. */
  models(tx: EntityManager): Promise<ModelShare[]> {
    return tx.query(
      `select embedding_model as model, count(*)::int as documents from document
       where tenant_id = app_tenant() and embedding_model is not null group by 1 order by 2 desc, 1`,
    );
  }
}
