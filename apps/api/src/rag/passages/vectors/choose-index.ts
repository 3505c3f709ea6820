import type { Client } from 'pg';
import type { Queryable } from '../search-scope.js';
import { BitscanIndex } from './bitscan.index.js';
import { canIndex, ensurePgvector, hasPgvector, PgvectorIndex } from './pgvector.index.js';
import type { VectorIndex } from './vector-index.js';

/**
 * Once at start, as the owner of the schema: makes use of pgvector where the server offers it.
 *
 * @param dimensions of the vectors of the configured embedder
 */
export async function prepareVectorIndex(owner: Client, dimensions: number): Promise<void> {
  if (!canIndex(dimensions)) return;
  await ensurePgvector(
    { query: async (sql, parameters) => (await owner.query(sql, parameters)).rows as never },
    dimensions,
  );
}

/** The index that this database was prepared for. */
export async function chooseVectorIndex(db: Queryable, dimensions: number): Promise<VectorIndex> {
  const isPrepared = canIndex(dimensions) && (await hasPgvector(db, dimensions));
  return isPrepared ? new PgvectorIndex(dimensions) : new BitscanIndex();
}
