import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { StageName } from './ingestion-stages.js';

/** All SQL on `job_stage`: attempts, progress and checkpoints. Everything here runs inside `JobStore.fenced`. */
@Injectable()
export class StageStore {
  async listDone(tx: EntityManager, documentId: string): Promise<Set<StageName>> {
    const rows: { name: StageName }[] = await tx.query(
      `select name from job_stage where document_id = $1 and status = 'done'`,
      [documentId],
    );
    return new Set(rows.map((row) => row.name));
  }

  /** Counts the attempt before the work, so that one which is cut off is counted too. */
  async begin(tx: EntityManager, documentId: string, name: StageName): Promise<void> {
    await tx.query(
      `update job_stage
       set status = 'running', attempts = attempts + 1, started_at = now(), finished_at = null
       where document_id = $1 and name = $2`,
      [documentId, name],
    );
  }

  /**
   * A further `share` (0 to 1) of the work is durable, so what was counted before it no longer speaks against the
   * stage.
   */
  async addProgress(tx: EntityManager, documentId: string, name: StageName, share: number): Promise<void> {
    await tx.query(
      `update job_stage set progress = least(1, progress + $3), attempts = 1
       where document_id = $1 and name = $2`,
      [documentId, name, share],
    );
  }

  async complete(
    tx: EntityManager,
    documentId: string,
    name: StageName,
    { detail, result }: { detail?: Record<string, unknown>; result?: Buffer },
  ): Promise<void> {
    await tx.query(
      `update job_stage set status = 'done', progress = 1, detail = $3, result = $4, finished_at = clock_timestamp()
       where document_id = $1 and name = $2`,
      [documentId, name, detail, result],
    );
  }

  async fail(tx: EntityManager, documentId: string, name: StageName, code: string): Promise<void> {
    await tx.query(
      `update job_stage set status = 'failed', detail = $3, finished_at = clock_timestamp()
       where document_id = $1 and name = $2`,
      [documentId, name, { reason: code }],
    );
  }

  /** What a worker that died was at. */
  async listRunning(tx: EntityManager, documentId: string): Promise<StageName[]> {
    const rows: { name: StageName }[] = await tx.query(
      `select name from job_stage where document_id = $1 and status = 'running'`,
      [documentId],
    );
    return rows.map((row) => row.name);
  }

  async attempts(tx: EntityManager, documentId: string, name: StageName): Promise<number> {
    const [row] = await tx.query(`select attempts from job_stage where document_id = $1 and name = $2`, [
      documentId,
      name,
    ]);
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
       where document_id = $1 and status = 'running'`,
      [documentId, by?.stage, by && { reason: by.code }, by?.isToBlame ?? false],
    );
  }

  /** The checkpoint that another stage starts from. */
  async result(tx: EntityManager, documentId: string, name: StageName): Promise<Buffer> {
    const [row] = await tx.query(`select result from job_stage where document_id = $1 and name = $2`, [
      documentId,
      name,
    ]);
    if (!row?.result) throw new Error(`The stage ${name} has no result`);
    return row.result;
  }

  /** Nobody needs the intermediate results of a finished job, and they are as large as the documents. */
  async clearResults(tx: EntityManager, documentId: string): Promise<void> {
    await tx.query(`update job_stage set result = null where document_id = $1 and result is not null`, [
      documentId,
    ]);
  }
}
