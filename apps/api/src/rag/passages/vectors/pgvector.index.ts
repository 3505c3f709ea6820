import {
  IN_SCOPE,
  type PassagePlace,
  type Queryable,
  scopeParameters,
  type SearchScope,
} from '../search-scope.js';
import { type PassageVector, type SimilarPassage, VectorIndex, type VectorKey } from './vector-index.js';

/**
 * Uses the extension pgvector: an HNSW graph, which stays fast with millions of vectors. A graph knows no filters, so
 * a scope of few passages is compared one by one instead, which is exact and fast enough.
 */
export class PgvectorIndex extends VectorIndex {
  readonly name = 'pgvector';
  readonly table: string;

  /** @param exactUpTo passages in scope up to which all of them are compared */
  constructor(
    dimensions: number,
    private readonly exactUpTo = 20_000,
  ) {
    super();
    this.table = tableFor(dimensions);
  }

  async save(tx: Queryable, key: VectorKey, vectors: readonly PassageVector[]): Promise<void> {
    await tx.query(
      `insert into ${this.table} (tenant_id, document_id, generation, model, ordinal, embedding)
       select $1, $2, $3, $4, ordinal, embedding::vector
       from unnest($5::int[], $6::text[]) as row (ordinal, embedding)
       on conflict do nothing`,
      [
        key.tenantId,
        key.documentId,
        key.generation,
        key.model,
        vectors.map(({ ordinal }) => ordinal),
        vectors.map(({ vector }) => textOf(vector)),
      ],
    );
  }

  async search(
    tx: Queryable,
    scope: SearchScope,
    { model, vector, limit }: { model: string; vector: Float32Array; limit: number },
  ): Promise<SimilarPassage[]> {
    const parameters = [...scopeParameters(scope), model, textOf(vector), limit];
    if ((await this.passagesIn(tx, scope)) <= this.exactUpTo)
      return tx.query(this.statement('', 'order by similarity desc limit $8'), parameters);
    // Goes on along the graph until the scope's filters have let enough through.
    await tx.query(
      `select set_config('hnsw.iterative_scan', 'relaxed_order', true), set_config('hnsw.ef_search', $1, true)`,
      [String(Math.min(limit * 2, MAX_EF_SEARCH))],
    );
    const nearest = this.statement(
      'order by v.embedding <=> $7::vector limit $8',
      'order by similarity desc',
    );
    return tx.query(nearest, parameters);
  }

  compare(
    tx: Queryable,
    scope: SearchScope,
    { model, vector }: { model: string; vector: Float32Array },
    places: readonly PassagePlace[],
  ): Promise<SimilarPassage[]> {
    const wanted = `and (v.document_id, v.generation, v.ordinal) in (
        select * from unnest($8::uuid[], $9::int[], $10::int[]))`;
    return tx.query(this.statement(wanted, 'order by similarity desc'), [
      ...scopeParameters(scope),
      model,
      textOf(vector),
      places.map(({ documentId }) => documentId),
      places.map(({ generation }) => generation),
      places.map(({ ordinal }) => ordinal),
    ]);
  }

  private async passagesIn(tx: Queryable, scope: SearchScope): Promise<number> {
    const [row] = await tx.query<{ passages: number }[]>(
      `select coalesce(sum(d.passage_count), 0)::int as passages from document d where ${IN_SCOPE}`,
      scopeParameters(scope),
    );
    return row!.passages;
  }

  /** What stands inside is seen by the graph; what stands outside is done with its result. */
  private statement(inside: string, outside: string): string {
    return `
      with found as materialized (
        select v.document_id as "documentId", v.generation, v.ordinal,
               1 - (v.embedding <=> $7::vector) as similarity
        from ${this.table} v
        join document d on d.id = v.document_id
          and d.live_generation = v.generation and d.semantic_generation = v.generation
        where ${IN_SCOPE} and d.embedding_model = $6 and v.tenant_id = $1 and v.model = $6
        ${inside}
      )
      select * from found ${outside}`;
  }
}

/**
 * Makes the table and its graph where the server offers pgvector 0.8 or later, and says whether it did. Not a
 * migration, because the same migrations run on servers without it. An installation that has vectors in the other
 * index stays with that one: they would not be found here.
 *
 * @param owner the owner of the database; the extension itself may need a superuser to be made once
 */
export async function ensurePgvector(owner: Queryable, dimensions: number): Promise<boolean> {
  if (await hasPgvector(owner, dimensions)) return true;
  if ((await hasBitscanVectors(owner)) || !(await isOffered(owner))) return false;
  const table = tableFor(dimensions);
  await owner.query(`
    create table if not exists ${table} (
      tenant_id uuid not null,
      document_id uuid not null,
      generation int not null,
      ordinal int not null,
      model text not null check (length(model) between 1 and 100),
      embedding vector(${dimensions}) not null,
      primary key (tenant_id, document_id, generation, ordinal, model),
      foreign key (tenant_id, document_id, generation, ordinal) references passage on delete cascade
    )`);
  await owner.query(`alter table ${table} enable row level security`);
  await owner.query(`alter table ${table} force row level security`);
  await owner.query(`drop policy if exists tenant_isolation on ${table}`);
  await owner.query(`
    create policy tenant_isolation on ${table}
      using (tenant_id = (select app_tenant())) with check (tenant_id = (select app_tenant()))`);
  await owner.query(`grant select, insert, update, delete on ${table} to navigator_app`);
  await owner.query(
    `create index if not exists ${table}_hnsw on ${table} using hnsw (embedding vector_cosine_ops)`,
  );
  return true;
}

/** Whether `ensurePgvector` has been here. */
export async function hasPgvector(db: Queryable, dimensions: number): Promise<boolean> {
  const [row] = await db.query<{ there: boolean }[]>(`select to_regclass($1) is not null as there`, [
    tableFor(dimensions),
  ]);
  return row!.there;
}

/** The owner is bound by row-level security too unless it is a superuser, so the size of the table is asked. */
async function hasBitscanVectors(owner: Queryable): Promise<boolean> {
  const [row] = await owner.query<{ bytes: number }[]>(
    `select pg_relation_size('passage_sign')::float8 as bytes`,
  );
  return row!.bytes > 0;
}

async function isOffered(owner: Queryable): Promise<boolean> {
  const version = `select string_to_array(coalesce(installed_version, default_version), '.')::int[] >= '{0,8}' as recent,
    installed_version is not null as installed from pg_available_extensions where name = 'vector'`;
  const [offer] = await owner.query<{ recent: boolean; installed: boolean }[]>(version);
  if (!offer?.recent) return false;
  if (offer.installed) return true;
  try {
    await owner.query('create extension if not exists vector');
    return true;
  } catch (error) {
    if ((error as { code?: string }).code === INSUFFICIENT_PRIVILEGE) return false;
    throw error;
  }
}

/** Whether an HNSW graph takes vectors of that size. */
export const canIndex = (dimensions: number) =>
  Number.isInteger(dimensions) && dimensions >= 1 && dimensions <= MAX_DIMENSIONS;

function tableFor(dimensions: number): string {
  if (!canIndex(dimensions)) throw new Error(`pgvector cannot index vectors of ${dimensions} dimensions`);
  return `passage_embedding_${dimensions}`;
}

const textOf = (vector: Float32Array) => `[${vector.join(',')}]`;

/** Of an HNSW graph. */
const MAX_DIMENSIONS = 2_000;
const MAX_EF_SEARCH = 1_000;
const INSUFFICIENT_PRIVILEGE = '42501';
