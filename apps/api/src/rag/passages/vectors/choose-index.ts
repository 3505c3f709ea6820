import type { Client } from 'pg';
import type { Queryable } from '../search-scope.js';
import { BitscanIndex } from './bitscan.index.js';
import { ensurePgvector, hasPgvector, PgvectorIndex } from './pgvector.index.js';
import type { VectorIndex } from './vector-index.js';

/** Of the embedded model; another embedder brings its own. */
const DIMENSIONS = 512;

/** Once at start, as the owner of the schema: makes use of pgvector where the server offers it. */
export async function prepareVectorIndex(owner: Client): Promise<void> {
  await ensurePgvector(
    { query: async (sql, parameters) => (await owner.query(sql, parameters)).rows as never },
    DIMENSIONS,
  );
}

/** The index that this database was prepared for. */
export async function chooseVectorIndex(db: Queryable): Promise<VectorIndex> {
  return (await hasPgvector(db, DIMENSIONS)) ? new PgvectorIndex(DIMENSIONS) : new BitscanIndex();
}
