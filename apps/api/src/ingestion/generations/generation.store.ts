import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { type GenerationKey, PassageStore } from '../../rag/index.js';
import type { Assessment } from '../documents/document.js';
import { InsightStore } from '../facts/insight.store.js';
import { type GenerationConfig, generationSection } from './generations.config.js';

/** A generation that questions do not find: one that is being made, or the one before the live one. */
export interface HiddenGeneration {
  /** The generation whose passages it takes over as they are. */
  copyOf: number | null;
  pageCount: number | null;
  /** null until all of its passages are there. */
  passageCount: number | null;
  /** Until when can be gone back to it; null while it is being made. */
  expiresAt: Date | null;
}

/**
 * All SQL on `document_generation`. What a document is found by changes hands in one statement, and only while its job
 * is locked.
 */
@Injectable()
export class GenerationStore {
  constructor(
    private readonly passages: PassageStore,
    private readonly insights: InsightStore,
    @Inject(generationSection.token) private readonly config: GenerationConfig,
  ) {}

  async find(
    tx: EntityManager,
    documentId: string,
    generation: number,
  ): Promise<HiddenGeneration | undefined> {
    const [row] = await tx.query(
      `select copy_of as "copyOf", page_count as "pageCount", passage_count as "passageCount",
              expires_at as "expiresAt"
       from document_generation where tenant_id = app_tenant() and document_id = $1 and generation = $2`,
      [documentId, generation],
    );
    return row;
  }

  /** A generation that is to have the passages of another one. */
  async beginCopy(tx: EntityManager, documentId: string, generation: number, copyOf: number): Promise<void> {
    await tx.query(
      `insert into document_generation (tenant_id, document_id, generation, copy_of)
       values (app_tenant(), $1, $2, $3)`,
      [documentId, generation, copyOf],
    );
  }

  /** All passages of a generation are there, beside those that questions find. */
  async savePassages(
    tx: EntityManager,
    documentId: string,
    { generation, pageCount, passageCount }: GenerationCounts,
  ): Promise<void> {
    await tx.query(
      `insert into document_generation (tenant_id, document_id, generation, page_count, passage_count)
       values (app_tenant(), $1, $2, $3, $4)
       on conflict (tenant_id, document_id, generation) do update
       set page_count = excluded.page_count, passage_count = excluded.passage_count`,
      [documentId, generation, pageCount, passageCount],
    );
  }

  /** All vectors of it are there. */
  async saveModel(tx: EntityManager, documentId: string, generation: number, model: string): Promise<void> {
    await tx.query(
      `update document_generation set embedding_model = $3
       where tenant_id = app_tenant() and document_id = $1 and generation = $2`,
      [documentId, generation, model],
    );
  }

  async saveAssessment(
    tx: EntityManager,
    documentId: string,
    generation: number,
    assessment: Assessment,
  ): Promise<void> {
    await tx.query(
      `update document_generation set assessment = $3
       where tenant_id = app_tenant() and document_id = $1 and generation = $2`,
      [documentId, generation, assessment],
    );
  }

  /** Of the same passages in another generation, which is the live one, or was when they were copied. */
  async copyAssessment(
    tx: EntityManager,
    documentId: string,
    { from, to }: { from: number; to: number },
  ): Promise<void> {
    await tx.query(
      `update document_generation g
       set assessment = jsonb_set(a.assessment - 'passagesWithoutVector', '{warnings}',
                                  (a.assessment -> 'warnings') - 'passages-without-vector')
       from (select assessment from document
             where tenant_id = app_tenant() and id = $1 and live_generation = $2
             union all
             select assessment from document_generation
             where tenant_id = app_tenant() and document_id = $1 and generation = $2) a
       where g.tenant_id = app_tenant() and g.document_id = $1 and g.generation = $3`,
      [documentId, from, to],
    );
    await this.insights.copy(tx, documentId, { from, to });
  }

  /**
   * From here on questions find this generation, by words and by meaning, with its counts, assessment and facts. The one
   * before is kept for a while. False when the generation was not being made.
   */
  async switchTo(tx: EntityManager, documentId: string, generation: number): Promise<boolean> {
    await tx.query(
      `update document_generation g set expires_at = now()
       where tenant_id = app_tenant() and document_id = $1 and expires_at > now()
         and exists (select from document_generation n
                     where n.tenant_id = g.tenant_id and n.document_id = $1 and n.generation = $2
                       and n.expires_at is null)`,
      [documentId, generation],
    );
    return this.activate(tx, documentId, { generation });
  }

  /** Back to the generation before the live one; the two change places. False when there is none, or no more. */
  rollBack(tx: EntityManager, documentId: string): Promise<boolean> {
    return this.activate(tx, documentId);
  }

  /** Takes away what was made of a generation that questions never found. */
  async discard(tx: EntityManager, key: GenerationKey): Promise<void> {
    await this.passages.deleteGeneration(tx, key);
    await this.remove(tx, key);
  }

  /** Of all tenants, those that nobody can go back to, and that no question begun before the switch still reads. */
  listExpired(tx: EntityManager, limit: number): Promise<GenerationKey[]> {
    return tx.query(
      `select tenant_id as "tenantId", document_id as "documentId", generation from document_generation
       where expires_at < now() - interval '1 minute' order by expires_at limit $1`,
      [limit],
    );
  }

  /** From here on nobody goes back to it. False when somebody has, just now. */
  async condemn(tx: EntityManager, { documentId, generation }: GenerationKey): Promise<boolean> {
    const [, count] = await tx.query(
      `update document_generation set expires_at = '-infinity'
       where tenant_id = app_tenant() and document_id = $1 and generation = $2 and expires_at < now()`,
      [documentId, generation],
    );
    return count > 0;
  }

  /** Some of what it is found by. False when nothing is left but what `remove` takes away. */
  removeSome(tx: EntityManager, key: GenerationKey): Promise<boolean> {
    return this.passages.deleteSome(tx, key);
  }

  async remove(tx: EntityManager, { documentId, generation }: GenerationKey): Promise<void> {
    await this.insights.delete(tx, { documentId, generation });
    await tx.query(
      `delete from document_generation where tenant_id = app_tenant() and document_id = $1 and generation = $2`,
      [documentId, generation],
    );
  }

  /** One statement, so that whoever reads the document sees all of one generation or all of the other. */
  private async activate(
    tx: EntityManager,
    documentId: string,
    made?: { generation: number },
  ): Promise<boolean> {
    const [, count] = await tx.query(ACTIVATE, [documentId, made?.generation, this.config.retentionHours]);
    return count > 0;
  }
}

export interface GenerationCounts {
  generation: number;
  pageCount: number | null;
  passageCount: number;
}

/** $2: the generation that was made; null: the one that is kept. By the clock, because its turn may have come late. */
const ACTIVATE = `
  with next as (
    delete from document_generation
    where tenant_id = app_tenant() and document_id = $1
      and case when $2::int is null then expires_at > clock_timestamp()
               else generation = $2 and expires_at is null end
    returning *
  ), kept as (
    insert into document_generation (tenant_id, document_id, generation, page_count, passage_count, assessment,
                                     embedding_model, expires_at)
    select d.tenant_id, d.id, d.live_generation, d.page_count, d.passage_count, d.assessment,
           d.embedding_model, now() + make_interval(hours => $3)
    from document d join next on d.tenant_id = next.tenant_id and d.id = next.document_id
    where d.live_generation is not null
  )
  update document d
  set live_generation = next.generation, page_count = next.page_count, passage_count = next.passage_count,
      assessment = next.assessment, embedding_model = next.embedding_model,
      semantic_generation = case when next.embedding_model is not null then next.generation end,
      answerable = case when next.embedding_model is not null then 'semantic' else 'lexical' end,
      version = d.version + 1, updated_at = now()
  from next
  where d.tenant_id = next.tenant_id and d.id = next.document_id`;
