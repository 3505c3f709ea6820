import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Gate } from './gates/index.js';
import type { StageName } from './ingestion-stages.js';
import type { Leftovers } from './stage-work.js';

/** All SQL on `job_stage`: attempts, progress and checkpoints. Everything here runs inside `JobStore.fenced`. */
@Injectable()
export class StageStore {
  /** How far the job is, and what is there of it. */
  async findState(
    tx: EntityManager,
    { documentId, generation }: { documentId: string; generation: number },
  ): Promise<{ done: Set<StageName>; leftovers: Leftovers }> {
    const [row] = await tx.query(
      `select array(select name from job_stage
                    where tenant_id = app_tenant() and document_id = $1 and status = 'done') as done,
              exists (select from job_stage
                      where tenant_id = app_tenant() and document_id = $1 and plan is not null)
                or exists (select from job_part where tenant_id = app_tenant() and document_id = $1) as parts,
              exists (select from passage
                      where tenant_id = app_tenant() and document_id = $1 and generation = $2) as passages,
              exists (select from document_password
                      where tenant_id = app_tenant() and document_id = $1) as password`,
      [documentId, generation],
    );
    const { done, ...leftovers } = row as { done: StageName[] } & Leftovers;
    return { done: new Set(done), leftovers };
  }

  /** What has become of some stages since the last time: each was begun, or done, or both. What was done stays so. */
  async advance(tx: EntityManager, documentId: string, steps: readonly StageStep[]): Promise<void> {
    const column = (of: (step: StageStep) => unknown) => steps.map((step) => of(step) ?? null);
    await tx.query(
      `update job_stage s
       set status = case when step.done_ago is null then 'running' else 'done' end,
           attempts = attempts + case when begun_ago is null then 0 else 1 end,
           started_at = coalesce(clock_timestamp() - make_interval(secs => begun_ago / 1000.0), started_at),
           started_progress = case when begun_ago is null then started_progress else progress end,
           progressed_at = case when begun_ago is null then progressed_at end,
           progress = case when done_ago is null then progress else 1 end,
           detail = case when done_ago is null then s.detail else step.detail end,
           result = case when done_ago is null then s.result else step.result end,
           gate = case when done_ago is null then s.gate else step.gate end,
           finished_at = clock_timestamp() - make_interval(secs => done_ago / 1000.0)
       from unnest($2::text[], $3::float8[], $4::float8[], $5::jsonb[], $6::bytea[], $7::jsonb[])
         as step (name, begun_ago, done_ago, detail, result, gate)
       where s.tenant_id = app_tenant() and s.document_id = $1 and s.name = step.name and s.status <> 'done'`,
      [
        documentId,
        column(({ name }) => name),
        column(({ begunAgoMs }) => begunAgoMs),
        column(({ done }) => done?.agoMs),
        column(({ done }) => done?.detail),
        column(({ done }) => done?.result),
        column(({ done }) => done?.gate),
      ],
    );
  }

  /**
   * A further `share` (0 to 1) of the work is durable, so what was counted before it no longer speaks against the
   * stage.
   */
  async addProgress(tx: EntityManager, documentId: string, name: StageName, share: number): Promise<void> {
    await tx.query(
      `update job_stage
       set progress = least(1, progress + $3), progressed_at = clock_timestamp(), attempts = 1
       where tenant_id = app_tenant() and document_id = $1 and name = $2`,
      [documentId, name, share],
    );
  }

  /** A person decides what becomes of the stage; what it would publish is not there yet. */
  async hold(
    tx: EntityManager,
    documentId: string,
    name: StageName,
    { detail, result, gate }: Checkpoint,
  ): Promise<void> {
    await tx.query(
      `update job_stage
       set status = 'review', progress = 1, detail = $3, result = $4, gate = $5, finished_at = clock_timestamp()
       where tenant_id = app_tenant() and document_id = $1 and name = $2`,
      [documentId, name, detail, result, gate],
    );
  }

  async fail(
    tx: EntityManager,
    documentId: string,
    name: StageName,
    code: string,
    gate?: Gate,
  ): Promise<void> {
    await tx.query(
      `update job_stage
       set status = 'failed', detail = $3, gate = coalesce($4::jsonb, gate), finished_at = clock_timestamp()
       where tenant_id = app_tenant() and document_id = $1 and name = $2`,
      [documentId, name, { reason: code }, gate],
    );
  }

  /** Whether a person let the stage through, so that its gate is not asked again. */
  async isApproved(tx: EntityManager, documentId: string, name: StageName): Promise<boolean> {
    const rows = await tx.query(
      `select from job_stage where tenant_id = app_tenant() and document_id = $1 and name = $2 and gate ->> 'decision' = 'approve'`,
      [documentId, name],
    );
    return rows.length > 0;
  }

  /** Those that wait for a person. */
  async listUndecided(tx: EntityManager, documentId: string): Promise<StageName[]> {
    const rows: { name: StageName }[] = await tx.query(
      `select name from job_stage where tenant_id = app_tenant() and document_id = $1 and ${UNDECIDED}`,
      [documentId],
    );
    return rows.map((row) => row.name);
  }

  /** Whether a person has said that already. */
  async isDecided(tx: EntityManager, documentId: string, decision: 'approve' | 'reject'): Promise<boolean> {
    const rows = await tx.query(
      `select from job_stage where tenant_id = app_tenant() and document_id = $1 and gate ->> 'decision' = $2`,
      [documentId, decision],
    );
    return rows.length > 0;
  }

  /**
   * What a person says about the stages that wait for it. Approved, those that did not publish yet do so now; rejected,
   * they have failed.
   */
  async decide(tx: EntityManager, documentId: string, decision: 'approve' | 'reject'): Promise<void> {
    await tx.query(
      `update job_stage
       set gate = gate || jsonb_build_object('decision', $2::text), attempts = 0,
           status = case when $2 = 'reject' then 'failed' when status = 'review' then 'pending' else status end
       where tenant_id = app_tenant() and document_id = $1 and ${UNDECIDED}`,
      [documentId, decision],
    );
  }

  /** As if these stages had never begun. */
  async reset(tx: EntityManager, documentId: string, names: Iterable<StageName>): Promise<void> {
    await tx.query(
      `update job_stage
       set status = 'pending', attempts = 0, progress = 0, detail = null, result = null, gate = null,
           started_at = null, finished_at = null, progressed_at = null
       where tenant_id = app_tenant() and document_id = $1 and name = any ($2)`,
      [documentId, [...names]],
    );
  }

  /** What a worker that died was at. */
  async listRunning(tx: EntityManager, documentId: string): Promise<StageName[]> {
    const rows: { name: StageName }[] = await tx.query(
      `select name from job_stage where tenant_id = app_tenant() and document_id = $1 and status = 'running'`,
      [documentId],
    );
    return rows.map((row) => row.name);
  }

  async attempts(tx: EntityManager, documentId: string, name: StageName): Promise<number> {
    const [row] = await tx.query(
      `select attempts from job_stage where tenant_id = app_tenant() and document_id = $1 and name = $2`,
      [documentId, name],
    );
    return row.attempts;
  }

  /**
   * What was interrupted waits again, and the stage that interrupted tells the code of the reason. Only one that is to
   * blame keeps the attempt counted.
   */
  async interrupt(
    tx: EntityManager,
    documentId: string,
    by?: { stage: StageName; code: string; isToBlame: boolean },
  ): Promise<void> {
    await tx.query(
      `update job_stage
       set status = 'pending', attempts = case when name = $2 and $4 then attempts else greatest(attempts - 1, 0) end,
           detail = case when name = $2 then $3::jsonb else detail end
       where tenant_id = app_tenant() and document_id = $1 and status = 'running'`,
      [documentId, by?.stage, by && { reason: by.code }, by?.isToBlame ?? false],
    );
  }

  /** What a stage has told about its work; null before it is done. */
  async detail(
    tx: EntityManager,
    documentId: string,
    name: StageName,
  ): Promise<Record<string, unknown> | null> {
    const [row] = await tx.query(
      `select detail from job_stage where tenant_id = app_tenant() and document_id = $1 and name = $2`,
      [documentId, name],
    );
    return row?.detail ?? null;
  }
}

/** The gate stopped the stage, and nobody has said anything to that. */
const UNDECIDED = `status in ('review', 'done') and gate ->> 'outcome' = 'needs_review' and not gate ? 'decision'`;

interface Checkpoint {
  detail?: Record<string, unknown>;
  result?: Buffer;
  gate?: Gate;
}

/** How long ago a stage began, and when it is done, how long ago that was, both in milliseconds. */
export interface StageStep {
  name: StageName;
  /** The attempt that then began has not been counted yet. */
  begunAgoMs?: number;
  done?: Checkpoint & { agoMs: number };
}
