import { Injectable } from '@nestjs/common';
import { IN_SCOPE, type Queryable, scopeParameters, type SearchScope } from '../search-scope.js';
import { Bm25Scores } from './bm25.js';
import { termsOf } from './terms.js';

/** The SQL on `posting`. PostgreSQL finds the postings that may be seen; what they are worth is computed here. */
@Injectable()
export class LexicalIndex {
  /** @param postings JSON, as in a `PassageBatch` */
  async insert(
    tx: Queryable,
    { tenantId, documentId, generation }: { tenantId: string; documentId: string; generation: number },
    postings: string,
  ): Promise<void> {
    await tx.query(INSERT, [tenantId, documentId, generation, postings]);
  }

  /** The blocks from $5 on and before $6 of generation $3, for generation $4. */
  async copy(tx: Queryable, parameters: readonly unknown[]): Promise<void> {
    await tx.query(COPY, [...parameters]);
  }

  /** @param key tenant, document and generation. False when nothing was left */
  async deleteSome(tx: Queryable, key: readonly unknown[], limit: number): Promise<boolean> {
    const [, count] = await tx.query<[unknown, number]>(
      `delete from posting where ctid = any (array(
         select ctid from posting where tenant_id = $1 and document_id = $2 and generation = $3 limit $4))`,
      [...key, limit],
    );
    return count > 0;
  }

  /** What the words of the query say about every passage in scope. How rare a word is, is counted in scope as well. */
  async search(tx: Queryable, scope: SearchScope, query: string, k1: number): Promise<Bm25Scores> {
    const counts = new Map<string, number>();
    for (const term of termsOf(query)) counts.set(term, (counts.get(term) ?? 0) + 1);
    const terms = [...counts.keys()].slice(0, MAX_TERMS);
    if (terms.length === 0) return new Bm25Scores([], 0, k1);
    const rows = await tx.query<{ term: string; postings: Buffer; passages: number }[]>(FIND, [
      ...scopeParameters(scope),
      terms,
    ]);
    return new Bm25Scores(
      rows.map(({ term, postings }) => ({ count: counts.get(term)!, postings })),
      rows[0]?.passages ?? 0,
      k1,
    );
  }
}

/** Of a question; a text of a page pasted in would be as dear as ten questions. */
const MAX_TERMS = 64;

const INSERT = `
  insert into posting (tenant_id, document_id, generation, term, block, entries)
  select $1, $2, $3, term, block, decode(entries, 'hex')
  from jsonb_to_recordset($4::jsonb) as row (term text, block int, entries text)`;

const COPY = `
  insert into posting (tenant_id, term, document_id, generation, block, entries)
  select tenant_id, term, document_id, $4, block, entries from posting
  where tenant_id = $1 and document_id = $2 and generation = $3 and block >= $5 and block < $6
  on conflict do nothing`;

/** One row for each term, since a row for each document of a frequent term would take longer to read than to find. */
const FIND = `
  select p.term,
         string_agg(uuid_send(p.document_id) || int4send(p.generation) || int4send(p.block)
                    || int2send(length(p.entries)::int2) || p.entries, '') as postings,
         (select coalesce(sum(d.passage_count), 0)::int from document d
          where ${IN_SCOPE} and d.live_generation is not null) as passages
  from posting p
  join document d on d.tenant_id = p.tenant_id and d.id = p.document_id and d.live_generation = p.generation
  where ${IN_SCOPE} and p.tenant_id = $1 and p.term = any ($6)
  group by p.term`;
