import type { PassagePlace, Queryable, SearchScope } from '../search-scope.js';

/** The vectors of one document's passages by one model. */
export interface VectorKey {
  tenantId: string;
  documentId: string;
  generation: number;
  model: string;
}

export interface PassageVector {
  ordinal: number;
  /** Of length 1. */
  vector: Float32Array;
}

/** Cosine of the angle to the query's vector: -1 to 1. */
export type SimilarPassage = PassagePlace & { similarity: number };

/**
 * Vectors of passages, searched by likeness. A passage's vectors go when the passage goes. A search sees the vectors
 * of a document once all of them are there: when its semantic generation is the live one, and by the model of that.
 */
export abstract class VectorIndex {
  abstract readonly name: 'bitscan' | 'pgvector';
  /** Has a row (tenant_id, document_id, generation, ordinal, model) for every vector. */
  abstract readonly table: string;

  /** A vector that is there already stays as it is. */
  abstract save(tx: Queryable, key: VectorKey, vectors: readonly PassageVector[]): Promise<void>;

  /** The most similar passages in scope, best first: nearly always exactly those, never others than in scope. */
  abstract search(
    tx: Queryable,
    scope: SearchScope,
    query: { model: string; vector: Float32Array; limit: number },
  ): Promise<SimilarPassage[]>;

  /** How similar certain passages are; those without a visible vector are left out. */
  abstract compare(
    tx: Queryable,
    scope: SearchScope,
    query: { model: string; vector: Float32Array },
    places: readonly PassagePlace[],
  ): Promise<SimilarPassage[]>;
}
