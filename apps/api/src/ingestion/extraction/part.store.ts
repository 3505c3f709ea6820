import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { StageName } from '../workflow/ingestion-stages.js';
import type { ExtractionPlan, PartRange } from './extractor.js';
import type { PartDetail } from './part-detail.js';

/** The stage of a document that is worked on part by part. */
export interface PartsKey {
  documentId: string;
  stage: StageName;
}

export interface NewPart {
  ordinal: number;
  range: PartRange;
  result: Buffer;
  /** Numbers and codes, never text of the document. */
  detail: PartDetail;
  startedAt: Date;
}

export interface Bookmark {
  generation: number;
  /** The ordinal of the part that comes next. */
  next: number;
  /** What is remembered of the parts before. */
  state: Buffer;
}

/** All SQL on `job_part` and on the plans that lead to it. Everything here runs inside `JobStore.fenced`. */
@Injectable()
export class PartStore {
  async findPlan(tx: EntityManager, { documentId, stage }: PartsKey): Promise<ExtractionPlan | undefined> {
    const [row] = await tx.query(
      `select plan from job_stage where tenant_id = app_tenant() and document_id = $1 and name = $2`,
      [documentId, stage],
    );
    return row?.plan ?? undefined;
  }

  /** A plan that is there stays: the parts that were read follow it. */
  async savePlan(tx: EntityManager, { documentId, stage }: PartsKey, plan: ExtractionPlan): Promise<void> {
    await tx.query(
      `update job_stage set plan = $3 where tenant_id = app_tenant() and document_id = $1 and name = $2 and plan is null`,
      [documentId, stage, plan],
    );
  }

  /** Where the parts stand that were read, in their order. */
  async listDone(tx: EntityManager, { documentId, stage }: PartsKey): Promise<number[]> {
    const rows: { ordinal: number }[] = await tx.query(
      `select ordinal from job_part where tenant_id = app_tenant() and document_id = $1 and stage = $2 order by ordinal`,
      [documentId, stage],
    );
    return rows.map((row) => row.ordinal);
  }

  /** False when the part is there already, which then stays as it is. */
  async add(tx: EntityManager, { documentId, stage }: PartsKey, part: NewPart): Promise<boolean> {
    const rows = await tx.query(
      `insert into job_part (tenant_id, document_id, stage, ordinal, range, result, detail, started_at)
       values (app_tenant(), $1, $2, $3, int8range($4, $5, '[]'), $6, $7, $8)
       on conflict do nothing returning ordinal`,
      [
        documentId,
        stage,
        part.ordinal,
        part.range.from,
        part.range.to,
        part.result,
        part.detail,
        part.startedAt,
      ],
    );
    return rows.length > 0;
  }

  /** @throws Error when the part was not read */
  async result(tx: EntityManager, { documentId, stage }: PartsKey, ordinal: number): Promise<Buffer> {
    const [row] = await tx.query(
      `select result from job_part where tenant_id = app_tenant() and document_id = $1 and stage = $2 and ordinal = $3`,
      [documentId, stage, ordinal],
    );
    if (!row) throw new Error(`Part ${ordinal} of the stage ${stage} was not read`);
    return row.result;
  }

  /** Of all parts, in their order. */
  async listDetails(tx: EntityManager, { documentId, stage }: PartsKey): Promise<PartDetail[]> {
    const rows: { detail: PartDetail }[] = await tx.query(
      `select detail from job_part where tenant_id = app_tenant() and document_id = $1 and stage = $2 order by ordinal`,
      [documentId, stage],
    );
    return rows.map((row) => row.detail);
  }

  /** Where a stage that goes through the parts in their order has come to; undefined when it was for another generation. */
  async findBookmark(
    tx: EntityManager,
    { documentId, stage }: PartsKey,
    generation: number,
  ): Promise<Bookmark | undefined> {
    const [row] = await tx.query(
      `select (plan ->> 'generation')::int as generation, (plan ->> 'next')::int as next, result as state
       from job_stage where tenant_id = app_tenant() and document_id = $1 and name = $2 and result is not null`,
      [documentId, stage],
    );
    return row?.generation === generation ? row : undefined;
  }

  async saveBookmark(
    tx: EntityManager,
    { documentId, stage }: PartsKey,
    { generation, next, state }: Bookmark,
  ): Promise<void> {
    await tx.query(
      `update job_stage set plan = $3, result = $4 where tenant_id = app_tenant() and document_id = $1 and name = $2`,
      [documentId, stage, { generation, next }, state],
    );
  }

  /** Nobody needs the parts of a finished job, and they are as large as the document; nor what is to be done anew. */
  async clear(tx: EntityManager, documentId: string): Promise<void> {
    await tx.query(`delete from job_part where tenant_id = app_tenant() and document_id = $1`, [documentId]);
    await tx.query(
      `update job_stage set plan = null, result = null
       where tenant_id = app_tenant() and document_id = $1 and plan is not null`,
      [documentId],
    );
  }
}
