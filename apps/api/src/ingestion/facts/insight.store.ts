import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Insight } from './fact.js';

/** An insight with when it was had, and what of its sources a person is shown. */
export interface StoredInsight extends Insight {
  documentId: string;
  createdAt: Date;
}

/** Where a source stands, for citations. */
export interface SourcePlace {
  page: number | null;
  startMs: number | null;
  endMs: number | null;
}

/** All SQL on `document_insight`. */
@Injectable()
export class InsightStore {
  async save(
    tx: EntityManager,
    { documentId, generation }: { documentId: string; generation: number },
    { kind, kindConfidence, summary, facts, foundBy, reading }: Insight,
  ): Promise<void> {
    await tx.query(
      `insert into document_insight
         (tenant_id, document_id, generation, kind, kind_confidence, summary, facts, found_by, model_reading)
       values (app_tenant(), $1, $2, $3, $4, $5, $6, $7, $8)
       on conflict (tenant_id, document_id, generation) do update
       set kind = excluded.kind, kind_confidence = excluded.kind_confidence, summary = excluded.summary,
           facts = excluded.facts, found_by = excluded.found_by,
           model_reading = excluded.model_reading, created_at = now()`,
      [
        documentId,
        generation,
        kind,
        kindConfidence,
        ...[summary, facts].map((list) => JSON.stringify(list)),
        foundBy,
        JSON.stringify(reading),
      ],
    );
  }

  /** For another generation of the same passages. */
  async copy(
    tx: EntityManager,
    documentId: string,
    { from, to }: { from: number; to: number },
  ): Promise<void> {
    await tx.query(
      `insert into document_insight
       select (jsonb_populate_record(i, jsonb_build_object('generation', $3::int))).*
       from document_insight i where i.tenant_id = app_tenant() and i.document_id = $1 and i.generation = $2
       on conflict do nothing`,
      [documentId, from, to],
    );
  }

  async delete(
    tx: EntityManager,
    { documentId, generation }: { documentId: string; generation: number },
  ): Promise<void> {
    await tx.query(
      `delete from document_insight where tenant_id = app_tenant() and document_id = $1 and generation = $2`,
      [documentId, generation],
    );
  }

  /** Those of the generations that questions see, of the documents that have one. */
  async listLive(tx: EntityManager, documentIds: readonly string[]): Promise<StoredInsight[]> {
    return tx.query(
      `select i.document_id as "documentId", i.kind, i.kind_confidence as "kindConfidence", i.summary, i.facts,
              i.found_by as "foundBy", i.model_reading as reading, i.created_at as "createdAt"
       from document_insight i join document d on d.tenant_id = i.tenant_id and d.id = i.document_id
       where i.document_id = any ($1::uuid[]) and i.generation = d.live_generation`,
      [documentIds],
    );
  }

  async listPlaces(
    tx: EntityManager,
    documentIds: readonly string[],
    passageIds: readonly string[],
  ): Promise<Map<string, SourcePlace>> {
    const rows: (SourcePlace & { id: string })[] = await tx.query(
      `select p.id, p.page, p.start_ms as "startMs", p.end_ms as "endMs"
       from passage p join document d on d.tenant_id = p.tenant_id and d.id = p.document_id
       where p.document_id = any ($1::uuid[]) and p.generation = d.live_generation and p.id = any ($2::uuid[])`,
      [documentIds, passageIds],
    );
    return new Map(rows.map(({ id, ...place }) => [id, place]));
  }
}
