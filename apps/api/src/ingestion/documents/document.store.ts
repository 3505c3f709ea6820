import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { mayRead } from '../../rag/index.js';
import { priorityOfRank } from '../jobs/job.js';
import type {
  Assessment,
  Document,
  DocumentStatus,
  NewDocument,
  Reader,
  StageState,
  Visibility,
} from './document.js';

export interface DocumentFilter {
  status?: DocumentStatus;
  collection?: string;
  tag?: string;
  /** What is attached to this document. */
  parentId?: string;
  /** Part of the title, in any case. */
  titlePart?: string;
}

interface Reason {
  code: string;
  message: string;
}

/** Where a page of the list ended. The time is PostgreSQL's own text, which keeps its microseconds. */
export interface DocumentPosition {
  createdAt: string;
  id: string;
}

/** All SQL on `document`. Row-level security shows the rows of one tenant; `reader` narrows them to one person. */
@Injectable()
export class DocumentStore {
  /** As it stands then, without a job yet; undefined when the document is there already. */
  async insert(tx: EntityManager, document: NewDocument): Promise<Document | undefined> {
    const [row] = await tx.query(
      `insert into document (tenant_id, id, owner_id, visibility, collection, tags, title, filename, media_type,
                             size_bytes, sha256, parent_id)
       values (app_tenant(), $1, $2, ${VISIBILITY('$3', '$4')}, $4, $5, $6, $7, $8, $9, $10, $11)
       on conflict (tenant_id, id) do nothing returning ${COLUMNS}`,
      [
        document.id,
        document.ownerId,
        document.visibility,
        document.collection,
        document.tags,
        document.title,
        document.filename,
        document.mediaType,
        document.sizeBytes,
        document.sha256,
        document.parentId,
      ],
    );
    return row && documentOf({ ...row, rollbackUntil: null, priorityRank: null });
  }

  async find(tx: EntityManager, id: string, reader?: Reader): Promise<Document | undefined> {
    const [row] = await tx.query(`${SELECT} where id = $1 and ${VISIBLE_TO('$2')}`, [id, reader?.userId]);
    return row && documentOf(row);
  }

  async list(
    tx: EntityManager,
    reader: Reader,
    { status, collection, tag, parentId, titlePart }: DocumentFilter,
    after: DocumentPosition | undefined,
    limit: number,
  ): Promise<{ document: Document; position: DocumentPosition }[]> {
    const rows = await tx.query(
      `${SELECT}
       where ${VISIBLE_TO('$1')}
         and ($2::text is null or status = $2)
         and ($3::text is null or collection = $3)
         and ($4::text is null or $4 = any (tags))
         and ($5::text is null or strpos(lower(title), lower($5)) > 0)
         and ($6::timestamptz is null or (created_at, id) < ($6, $7::uuid))
         and ($9::uuid is null or id in (select document_id from document_attachment where parent_id = $9))
       order by created_at desc, id desc
       limit $8`,
      [reader.userId, status, collection, tag, titlePart, after?.createdAt, after?.id, limit, parentId],
    );
    return rows.map((row: DocumentRow) => ({
      document: documentOf(row),
      position: { createdAt: row.position, id: row.id },
    }));
  }

  /** The stages of several documents, by document. Documents share one query so that a list costs two. */
  async listStages(tx: EntityManager, documentIds: string[]): Promise<Map<string, StageState[]>> {
    const rows: (StageState & { documentId: string })[] = await tx.query(
      `select document_id as "documentId", name, status, attempts, progress, detail, gate,
              started_at as "startedAt", started_progress as "startedProgress",
              progressed_at as "progressedAt", finished_at as "finishedAt"
       from job_stage where document_id = any ($1::uuid[])`,
      [documentIds],
    );
    return Map.groupBy(rows, (row) => row.documentId);
  }

  async setVisibility(tx: EntityManager, id: string, visibility: Visibility): Promise<void> {
    await tx.query(`update document set visibility = $2 where id = $1`, [id, visibility]);
  }

  /** What stages have made of the document, as many of them as are written together: one row takes one new version. */
  async change(tx: EntityManager, id: string, change: DocumentChange): Promise<void> {
    const { status, nature, lexical, semantic, assessment } = change;
    await tx.query(CHANGE, [
      id,
      status,
      nature?.mediaType,
      nature?.title,
      nature?.byName,
      lexical?.generation,
      lexical?.pageCount,
      lexical?.passageCount,
      semantic?.generation,
      semantic?.model,
      assessment,
    ]);
  }

  /** Those that the stage `embed` left out come into the assessment, once nothing else changes that any more. */
  async notePassagesWithoutVector(tx: EntityManager, id: string): Promise<void> {
    await tx.query(
      `update document d
       set assessment = d.assessment || jsonb_build_object(
             'passagesWithoutVector', s.detail -> 'passages_without_vector',
             'warnings', d.assessment -> 'warnings' || '["passages-without-vector"]'::jsonb)
       from job_stage s
       where d.id = $1 and s.document_id = d.id and s.name = 'embed' and s.detail ? 'passages_without_vector'`,
      [id],
    );
  }

  /** What was answerable before stays answerable, in this and the next two. */
  setFailed(tx: EntityManager, id: string, reason: Reason): Promise<void> {
    return this.rest(tx, id, 'failed', reason);
  }

  setNeedsReview(tx: EntityManager, id: string, reason: Reason): Promise<void> {
    return this.rest(tx, id, 'needs_review', reason);
  }

  setCancelled(tx: EntityManager, id: string): Promise<void> {
    return this.rest(tx, id, 'cancelled', {
      code: 'cancelled',
      message: 'Processing was cancelled. You can have it tried again.',
    });
  }

  private async rest(tx: EntityManager, id: string, status: DocumentStatus, reason: Reason): Promise<void> {
    await tx.query(
      `update document set status = $2, reason_code = $3, reason_detail = $4, updated_at = now()
       where id = $1`,
      [id, status, reason.code, reason.message],
    );
  }

  async setQueued(tx: EntityManager, id: string): Promise<void> {
    await tx.query(
      `update document set status = 'queued', reason_code = null, reason_detail = null, updated_at = now()
       where id = $1`,
      [id],
    );
  }

  async delete(tx: EntityManager, id: string): Promise<void> {
    await tx.query(`delete from document where id = $1`, [id]);
  }

  /**
   * Until the end of the transaction nobody else of this tenant adds or removes this content, so that a file is
   * never removed between an upload's look at the disk and its commit.
   */
  async lockContent(tx: EntityManager, sha256: Buffer): Promise<void> {
    await tx.query(`select pg_advisory_xact_lock(hashtextextended(app_tenant()::text || $1, 0))`, [
      sha256.toString('hex'),
    ]);
  }

  /** Those of the hashes that no document has, and no archive that is still to be unpacked. */
  async listUnusedContent(tx: EntityManager, hashes: readonly Buffer[]): Promise<Buffer[]> {
    const rows: { sha256: Buffer }[] = await tx.query(
      `select given.sha256 from unnest($1::bytea[]) as given (sha256)
       where not exists (select from document d where d.sha256 = given.sha256)
         and not exists (select from import_item i
                         where i.tenant_id = app_tenant() and i.archive_sha256 = given.sha256
                           and i.state in ('waiting', 'running'))`,
      [hashes],
    );
    return rows.map((row) => row.sha256);
  }

  async isContentUsed(tx: EntityManager, sha256: Buffer): Promise<boolean> {
    const rows = await tx.query(
      `(select from document where sha256 = $1 limit 1) union all
       (select from import_item
        where tenant_id = app_tenant() and archive_sha256 = $1 and state in ('waiting', 'running') limit 1)`,
      [sha256],
    );
    return rows.length > 0;
  }
}

/** Unless somebody says who may see it, that is its collection's to say where the collection is shared at all. */
const VISIBILITY = (given: string, collection: string) =>
  `coalesce(${given}, case when exists (select from document_collection c
                                        where c.tenant_id = app_tenant() and c.name = ${collection})
                           then 'collection' else 'private' end)`;

const VISIBLE_TO = (user: string) => `(${user}::uuid is null or ${mayRead('document', user)})`;

/** What becomes of a document while it is processed. What is left out stays as it is. */
export interface DocumentChange {
  /** Either has no reason any more for what it was before. */
  status?: 'processing' | 'ready';
  /**
   * What the file turned out to be, and what it calls itself: that is its title unless somebody gave it one. `byName` is
   * the title that it has from the name of the file.
   */
  nature?: { mediaType: string; title: string | null; byName: string };
  /** From here on questions find the document by its words. Only for what was not found before. */
  lexical?: { generation: number; pageCount: number | null; passageCount: number };
  /** From here on questions find the document by its meaning too, as the model sees it. */
  semantic?: { generation: number; model: string };
  assessment?: Assessment;
}

/** A new set of words takes the meaning of the one before away, unless its own comes with it. */
const CHANGE = `
  update document
  set status = coalesce($2, status),
      reason_code = case when $2::text is null then reason_code end,
      reason_detail = case when $2::text is null then reason_detail end,
      media_type = coalesce($3, media_type),
      title = case when title = $5 then coalesce($4, title) else title end,
      live_generation = coalesce($6, live_generation),
      page_count = case when $6::int is null then page_count else $7 end,
      passage_count = coalesce($8, passage_count),
      semantic_generation = case when $6::int is null then coalesce($9, semantic_generation) else $9 end,
      embedding_model = case when $6::int is null then coalesce($10, embedding_model) else $10 end,
      answerable = case when $9::int is not null then 'semantic' when $6::int is not null then 'lexical'
                        else answerable end,
      version = version + ($6::int is not null)::int + ($9::int is not null)::int,
      assessment = coalesce($11, assessment),
      updated_at = now()
  where id = $1`;

const COLUMNS = `
  id, tenant_id as "tenantId", owner_id as "ownerId", parent_id as "parentId", visibility, collection,
         tags, title, filename, media_type as "mediaType", size_bytes::float8 as "sizeBytes", sha256, status, answerable,
         live_generation as "liveGeneration", semantic_generation as "semanticGeneration",
         embedding_model as "embeddingModel",
         page_count as "pageCount", passage_count as "passageCount",
         reason_code as "reasonCode", reason_detail as "reasonDetail", assessment,
         created_at as "createdAt", updated_at as "updatedAt", created_at::text as position`;

const SELECT = `
  select ${COLUMNS},
         (select max(g.expires_at) from document_generation g
          where g.tenant_id = document.tenant_id and g.document_id = document.id and g.expires_at > now())
           as "rollbackUntil",
         (select j.priority from job j where j.tenant_id = document.tenant_id and j.document_id = document.id)
           as "priorityRank"
  from document`;

type DocumentRow = Omit<Document, 'priority'> & { position: string; priorityRank: number | null };

/** While a document is being inserted it has no job yet. */
function documentOf({ position: _, priorityRank, ...document }: DocumentRow): Document {
  return { ...document, priority: priorityOfRank(priorityRank ?? 0) };
}
