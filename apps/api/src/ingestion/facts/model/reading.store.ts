import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

/** So many of one document are kept: those of the generations that it can go back to. */
const KEPT = 4;

export interface KeptReading {
  model: string;
  /** As the model wrote it, in the form that was asked for. */
  answer: unknown;
}

/**
 * All SQL on `fact_reading`: what models wrote about documents, by what they were told, so that nobody pays twice for
 * the same. Goes with its document.
 */
@Injectable()
export class ReadingStore {
  /** @param models in order of preference: that of the first who wrote one */
  async find(
    tx: EntityManager,
    { documentId, digest, models }: { documentId: string; digest: Buffer; models: readonly string[] },
  ): Promise<KeptReading | undefined> {
    const [row] = await tx.query(
      `select model, answer from fact_reading
       where document_id = $1 and digest = $2 and model = any ($3::text[])
       order by array_position($3::text[], model) limit 1`,
      [documentId, digest, models],
    );
    return row;
  }

  async save(
    tx: EntityManager,
    { documentId, digest }: { documentId: string; digest: Buffer },
    { model, answer }: KeptReading,
  ): Promise<void> {
    await tx.query(
      `insert into fact_reading (tenant_id, document_id, digest, model, answer)
       values (app_tenant(), $1, $2, $3, $4) on conflict do nothing`,
      [documentId, digest, model, JSON.stringify(answer)],
    );
    await tx.query(
      `delete from fact_reading r using (
         select digest, model from fact_reading where document_id = $1 order by created_at desc offset $2) old
       where r.document_id = $1 and r.digest = old.digest and r.model = old.model`,
      [documentId, KEPT],
    );
  }
}
