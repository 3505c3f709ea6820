import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { mayRead } from '../../rag/index.js';
import { notifyDocumentChanged, notifyJobQueued } from '../jobs/notifications.js';
import type { StageName } from '../workflow/ingestion-stages.js';

/** A job whose processing failed for good, until somebody has it tried again. */
export interface DeadLetter {
  documentId: string;
  /** null when it is a document that the reader may not see. */
  title: string | null;
  collection: string | null;
  mediaType: string;
  sizeBytes: number;
  reasonCode: string;
  /** Where it failed; null when it was at no stage. */
  stage: StageName | null;
  attempts: number | null;
  failedAt: Date;
}

export interface DeadLetterFilter {
  reason?: string;
  stage?: StageName;
  collection?: string;
}

/** Where a page of the list ended. The time is PostgreSQL's own text, which keeps its microseconds. */
export interface DeadLetterPosition {
  failedAt: string;
  documentId: string;
}

/** The failed jobs of one tenant, along their index. */
@Injectable()
export class DeadLetterStore {
  /** The last that failed first. */
  async list(
    tx: EntityManager,
    readerId: string,
    filter: DeadLetterFilter,
    after: DeadLetterPosition | undefined,
    limit: number,
  ): Promise<{ letter: DeadLetter; position: DeadLetterPosition }[]> {
    const rows: (DeadLetter & { position: string })[] = await tx.query(
      `select d.id as "documentId", case when ${mayRead('d', '$1')} then d.title end as title,
              d.collection, d.media_type as "mediaType", d.size_bytes::float8 as "sizeBytes",
              d.reason_code as "reasonCode", s.name as stage, s.attempts, j.state_since as "failedAt",
              j.state_since::text as position
       from ${FAILED('$2', '$3', '$4')}
         and ($5::timestamptz is null or (j.state_since, j.document_id) < ($5, $6::uuid))
       order by j.state_since desc, j.document_id desc
       limit $7`,
      [readerId, filter.reason, filter.stage, filter.collection, after?.failedAt, after?.documentId, limit],
    );
    return rows.map(({ position, ...letter }) => ({
      letter,
      position: { failedAt: position, documentId: letter.documentId },
    }));
  }

  /**
   * Up to `limit` of them go on where they failed, those that failed first before the others. One that somebody else is
   * changing is left for the next call. Returns the ids of their documents.
   */
  async retry(
    tx: EntityManager,
    { ids, ...filter }: DeadLetterFilter & { ids?: readonly string[] },
    limit: number,
    correlationId: string | undefined,
  ): Promise<string[]> {
    const rows: { id: string }[] = await tx.query(
      `select d.id from ${FAILED('$1', '$2', '$3')} and ($4::uuid[] is null or j.document_id = any ($4))
       order by j.state_since, j.document_id limit $5
       for update of j skip locked`,
      [filter.reason, filter.stage, filter.collection, ids, limit],
    );
    const found = rows.map((row) => row.id);
    if (found.length === 0) return found;
    await tx.query(
      `update document set status = 'queued', reason_code = null, reason_detail = null, updated_at = now()
       where id = any ($1::uuid[])`,
      [found],
    );
    await tx.query(
      `update job
       set state = 'queued', state_since = now(), run_at = now(), lost_leases = 0, correlation_id = $2
       where tenant_id = app_tenant() and document_id = any ($1::uuid[])`,
      [found, correlationId],
    );
    await tx.query(
      `update job_stage set status = 'pending', attempts = 0, detail = null, started_at = null, finished_at = null
       where document_id = any ($1::uuid[]) and status <> 'done'`,
      [found],
    );
    await Promise.all([notifyJobQueued(tx), notifyDocumentChanged(tx, ...found)]);
    return found;
  }

  /** At most `MOST_COUNTED`. */
  async count(tx: EntityManager, filter: DeadLetterFilter): Promise<number> {
    const [row] = await tx.query(
      `select count(*)::int as count from (select from ${FAILED('$1', '$2', '$3')} limit $4) as counted`,
      [filter.reason, filter.stage, filter.collection, MOST_COUNTED],
    );
    return row.count;
  }
}

/** Counting reads each of them. */
export const MOST_COUNTED = 10_000;

const FAILED = (reason: string, stage: string, collection: string) => `
  job j
  join document d on d.tenant_id = j.tenant_id and d.id = j.document_id
  left join job_stage s on s.tenant_id = j.tenant_id and s.document_id = j.document_id and s.status = 'failed'
  where j.tenant_id = app_tenant() and j.state = 'failed'
    and (${reason}::text is null or d.reason_code = ${reason})
    and (${stage}::text is null or s.name = ${stage})
    and (${collection}::text is null or d.collection = ${collection})`;
