import { Injectable } from '@nestjs/common';
import {
  IN_SCOPE,
  type PassagePlace,
  type Queryable,
  scopeParameters,
  type SearchScope,
} from '../search-scope.js';
import { signsOf, similarityTo, toHalfBytes } from './half-vector.js';
import { type PassageVector, type SimilarPassage, VectorIndex, type VectorKey } from './vector-index.js';

/**
 * Works on any PostgreSQL: reads the signs of all vectors in scope, one bit a dimension, keeps those with the fewest
 * differing bits, and computes exactly how similar these are.
 */
@Injectable()
export class BitscanIndex extends VectorIndex {
  readonly name = 'bitscan';
  readonly table = 'passage_vector';

  async save(tx: Queryable, key: VectorKey, vectors: readonly PassageVector[]): Promise<void> {
    const dimensions = vectors[0]?.vector.length ?? 1;
    const perRow = Math.max(1, Math.floor(SIGNS_PER_ROW / dimensions));
    for (let at = 0; at < vectors.length; at += perRow) {
      const row = vectors.slice(at, at + perRow);
      await tx.query(SAVE, [
        key.tenantId,
        key.documentId,
        key.generation,
        key.model,
        row.map(({ ordinal }) => ordinal),
        Buffer.concat(row.map(({ vector }) => toHalfBytes(vector))),
        row.map(({ vector }) => signsOf(vector)).join(''),
        dimensions,
      ]);
    }
  }

  async search(
    tx: Queryable,
    scope: SearchScope,
    { model, vector, limit }: { model: string; vector: Float32Array; limit: number },
  ): Promise<SimilarPassage[]> {
    const candidates = Math.max(limit * CANDIDATES_PER_RESULT, MIN_CANDIDATES);
    const rows = await tx.query<VectorRow[]>(SEARCH, [
      ...scopeParameters(scope),
      model,
      signsOf(vector),
      candidates,
    ]);
    return similar(rows, vector).slice(0, limit);
  }

  async compare(
    tx: Queryable,
    scope: SearchScope,
    { model, vector }: { model: string; vector: Float32Array },
    places: readonly PassagePlace[],
  ): Promise<SimilarPassage[]> {
    const rows = await tx.query<VectorRow[]>(COMPARE, [
      ...scopeParameters(scope),
      model,
      places.map(({ documentId }) => documentId),
      places.map(({ generation }) => generation),
      places.map(({ ordinal }) => ordinal),
    ]);
    return similar(rows, vector);
  }
}

interface VectorRow extends PassagePlace {
  vector: Uint8Array;
}

const similar = (rows: VectorRow[], query: Float32Array): SimilarPassage[] =>
  rows
    .map(({ vector, ...place }) => ({ ...place, similarity: similarityTo(query, vector) }))
    .sort((a, b) => b.similarity - a.similarity);

/** Three times as many by signs as are wanted hold 84 to 97 of the 100 most similar ones, and 98 to 100 of the 10. */
const CANDIDATES_PER_RESULT = 3;
const MIN_CANDIDATES = 100;
/** Bits: half of a page of 8 kB, which a row must fit. */
const SIGNS_PER_ROW = 32_768;

/**
 * All vectors are one parameter and all signs are another, because arrays are sent as text. The vector first: what it
 * refuses because it is there, its signs need not be written for.
 */
const SAVE = `
  with given as (
    select ordinal, substring($6::bytea, 2 * $8::int * at + 1, 2 * $8) as vector,
           substring($7::text, $8 * at + 1, $8) as signs
    from unnest($5::int[]) with ordinality as row (ordinal, number), lateral (select number::int - 1) as place (at)
  ), saved as (
    insert into passage_vector (tenant_id, document_id, generation, model, ordinal, vector)
    select $1, $2, $3, $4, ordinal, vector from given
    on conflict do nothing
    returning ordinal
  )
  insert into passage_sign (tenant_id, document_id, generation, model, first_ordinal, ordinals, signs)
  select $1, $2, $3, $4, min(ordinal), array_agg(ordinal order by ordinal),
         array_agg(signs::bit varying order by ordinal)
  from given join saved using (ordinal)
  having count(*) > 0`;

const PLACE = `v.document_id as "documentId", v.generation, v.ordinal, v.vector`;

/**
 * Unnested in the select list, which does without a temporary store for each row. `live_generation` is compared last,
 * because the planner believes that it hardly ever equals the other one.
 */
const SEARCH = `
  with near as materialized (
    select document_id, generation, ordinal
    from (
      select s.document_id, s.generation, unnest(s.ordinals) as ordinal, unnest(s.signs) as signs
      from document d
      join passage_sign s on s.tenant_id = d.tenant_id and s.document_id = d.id
        and s.generation = d.semantic_generation
      where ${IN_SCOPE} and d.embedding_model = $6 and s.model = $6
    ) as passage
    order by bit_count(signs # $7::bit varying)
    limit $8
  )
  select ${PLACE}
  from near
  join passage_vector v using (document_id, generation, ordinal)
  join document d on d.id = v.document_id and d.live_generation = v.generation
  where v.tenant_id = $1 and d.tenant_id = $1 and v.model = $6`;

const COMPARE = `
  select ${PLACE}
  from unnest($7::uuid[], $8::int[], $9::int[]) as wanted (document_id, generation, ordinal)
  join passage_vector v using (document_id, generation, ordinal)
  join document d on d.id = v.document_id
    and d.live_generation = v.generation and d.semantic_generation = v.generation
  where ${IN_SCOPE} and d.embedding_model = $6 and v.tenant_id = $1 and v.model = $6`;
