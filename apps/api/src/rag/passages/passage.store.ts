import { Injectable } from '@nestjs/common';
import { uuidv5 } from '#libs/database';
import { LexicalIndex } from './lexical/lexical.index.js';
import type { NewPassage, Passage } from './passage.js';
import { batchOf, newPassagesOf, type PassageBatch, PASSAGES_PER_BLOCK } from './passage-batch.js';
import {
  IN_SCOPE,
  type PassagePlace,
  type Queryable,
  scopeParameters,
  type SearchScope,
} from './search-scope.js';
import { type PassageVector, VectorIndex, type VectorKey } from './vectors/vector-index.js';

/** One generation of a document's passages. */
export interface GenerationKey {
  tenantId: string;
  documentId: string;
  generation: number;
}

export interface UnembeddedPassage {
  id: string;
  ordinal: number;
  /** What is to be embedded: the passage under its heading. */
  text: string;
}

/** A passage says more about its topic with the heading that it stands under. */
export const unembedded = ({ id, ordinal, text, headingPath }: Passage): UnembeddedPassage => ({
  id,
  ordinal,
  text: underHeading(text, headingPath.at(-1)),
});

const underHeading = (text: string, heading: string | null | undefined) =>
  heading ? `${heading}\n${text}` : text;

/** A document's passages have the same ids whenever they are made. */
export const passageId = (documentId: string, ordinal: number) => uuidv5(documentId, String(ordinal));

/** Passages with all that they are found by. Every method works inside the transaction it is given. */
@Injectable()
export class PassageStore {
  constructor(
    private readonly lexical: LexicalIndex,
    private readonly vectors: VectorIndex,
  ) {}

  /**
   * Puts `passages`, which are numbered 0, 1, 2 …, in the place of those that the generation had. Publish it in the
   * same transaction when it is the live one, so that a question sees the old ones or the new ones.
   */
  async replaceGeneration(tx: Queryable, key: GenerationKey, passages: readonly NewPassage[]): Promise<void> {
    await this.deleteGeneration(tx, key);
    for (let at = 0; at < passages.length; at += PASSAGES_PER_BLOCK) {
      const around = { before: passages[at - 1], after: passages[at + PASSAGES_PER_BLOCK] };
      await this.insertBatch(tx, key, batchOf(passages.slice(at, at + PASSAGES_PER_BLOCK), around));
    }
  }

  /** Adds passages to a generation, which questions do not see before it is published. */
  async insertBatch(tx: Queryable, key: GenerationKey, batch: PassageBatch): Promise<void> {
    if (batch.count === 0) return;
    const { tenantId, documentId, generation } = key;
    const ids = Array.from({ length: batch.count }, (_, i) => passageId(documentId, batch.first + i));
    await Promise.all([
      tx.query(INSERT, [tenantId, documentId, generation, batch.passages, batch.first, ids]),
      this.lexical.insert(tx, key, batch.postings),
    ]);
  }

  /** As they will be read once they are written. */
  passagesOf(documentId: string, batch: PassageBatch): Passage[] {
    return newPassagesOf(batch).map((passage) => ({
      ...passage,
      id: passageId(documentId, passage.ordinal),
      documentId,
    }));
  }

  /** Passages, postings and vectors; there need not be any. */
  async deleteGeneration(tx: Queryable, { tenantId, documentId, generation }: GenerationKey): Promise<void> {
    await tx.query(`delete from passage where tenant_id = $1 and document_id = $2 and generation = $3`, [
      tenantId,
      documentId,
      generation,
    ]);
  }

  /**
   * Passages and postings out of another generation of the document, from the passage `first` on: up to `count`, which
   * is a multiple of `PASSAGES_PER_BLOCK`, as `first` is. Those that are there stay. Returns how many were copied.
   */
  async copyBatch(
    tx: Queryable,
    { tenantId, documentId, generation }: GenerationKey,
    from: number,
    { first, count }: { first: number; count: number },
  ): Promise<number> {
    const key = [tenantId, documentId, from, generation];
    const rows = await tx.query<unknown[]>(COPY, [...key, first, first + count]);
    const blocks = [first / PASSAGES_PER_BLOCK, (first + count) / PASSAGES_PER_BLOCK];
    await this.lexical.copy(tx, [...key, ...blocks]);
    return rows.length;
  }

  /** Ordinal of the last passage of a generation; -1 when there is none. */
  async lastOrdinal(tx: Queryable, { tenantId, documentId, generation }: GenerationKey): Promise<number> {
    const [row] = await tx.query<{ last: number }[]>(
      `select coalesce(max(ordinal), -1) as last from passage
       where tenant_id = $1 and document_id = $2 and generation = $3`,
      [tenantId, documentId, generation],
    );
    return row!.last;
  }

  /** A share of a generation that nobody reads, so that no transaction is long. False when nothing is left of it. */
  async deleteSome(tx: Queryable, { tenantId, documentId, generation }: GenerationKey): Promise<boolean> {
    const key = [tenantId, documentId, generation];
    if (await this.lexical.deleteSome(tx, key, POSTINGS_AT_ONCE)) return true;
    const [, count] = await tx.query<[unknown, number]>(
      `delete from passage
       where tenant_id = $1 and document_id = $2 and generation = $3 and ordinal in (
         select ordinal from passage where tenant_id = $1 and document_id = $2 and generation = $3 limit $4)`,
      [...key, PASSAGES_AT_ONCE],
    );
    return count > 0;
  }

  /** The first passages behind `afterOrdinal` that have no vector of the model yet. */
  async listUnembedded(
    tx: Queryable,
    key: VectorKey,
    limit: number,
    afterOrdinal = -1,
  ): Promise<UnembeddedPassage[]> {
    const rows = await tx.query<(UnembeddedPassage & { heading: string | null })[]>(
      `select p.id, p.ordinal, p.text, p.heading_path[cardinality(p.heading_path)] as heading
       from passage p
       where p.tenant_id = $1 and p.document_id = $2 and p.generation = $3 and p.ordinal > $6
         and not exists (
           select from ${this.vectors.table} v
           where v.tenant_id = $1 and v.document_id = $2 and v.generation = $3 and v.ordinal = p.ordinal
             and v.model = $4)
       order by p.ordinal limit $5`,
      [key.tenantId, key.documentId, key.generation, key.model, limit, afterOrdinal],
    );
    return rows.map(({ heading, text, ...passage }) => ({
      ...passage,
      text: underHeading(text, heading),
    }));
  }

  /** Whether documents in scope are found by vectors of the model. */
  async hasVectorsOf(tx: Queryable, scope: SearchScope, model: string): Promise<boolean> {
    const [row] = await tx.query<{ found: boolean }[]>(
      `select exists (select from document d where ${IN_SCOPE} and d.embedding_model = $6) as found`,
      [...scopeParameters(scope), model],
    );
    return row!.found;
  }

  /** The vectors of passages that are certainly there, such as those written before them in this transaction. */
  async insertVectors(tx: Queryable, key: VectorKey, vectors: readonly PassageVector[]): Promise<void> {
    await this.vectors.save(tx, key, vectors);
  }

  /** Vectors that are there already, and those of passages that are gone, change nothing. */
  async saveVectors(tx: Queryable, key: VectorKey, vectors: readonly PassageVector[]): Promise<void> {
    const rows = await tx.query<{ ordinal: number }[]>(
      `select ordinal from passage
       where tenant_id = $1 and document_id = $2 and generation = $3 and ordinal = any ($4::int[])`,
      [key.tenantId, key.documentId, key.generation, vectors.map(({ ordinal }) => ordinal)],
    );
    const there = new Set(rows.map(({ ordinal }) => ordinal));
    const known = vectors.filter(({ ordinal }) => there.has(ordinal));
    if (known.length > 0) await this.vectors.save(tx, key, known);
  }

  /** Passages, postings and vectors; there need not be any. */
  async deleteDocument(
    tx: Queryable,
    { tenantId, documentId }: { tenantId: string; documentId: string },
  ): Promise<void> {
    await tx.query(`delete from passage where tenant_id = $1 and document_id = $2`, [tenantId, documentId]);
  }

  /** In reading order. */
  async listPassages(
    tx: Queryable,
    { tenantId, documentId, generation }: GenerationKey,
    { afterOrdinal = -1, limit }: { afterOrdinal?: number; limit: number },
  ): Promise<Passage[]> {
    const rows = await tx.query<PassageRecord[]>(
      `select ${COLUMNS} from passage p
       where tenant_id = $1 and document_id = $2 and generation = $3 and ordinal > $4
       order by ordinal limit $5`,
      [tenantId, documentId, generation, afterOrdinal, limit],
    );
    return rows.map(passageOf);
  }

  async getPassage(
    tx: Queryable,
    { tenantId, documentId, generation }: GenerationKey,
    id: string,
  ): Promise<Passage | undefined> {
    const [row] = await tx.query<PassageRecord[]>(
      `select ${COLUMNS} from passage p
       where tenant_id = $1 and document_id = $2 and generation = $3 and id = $4`,
      [tenantId, documentId, generation, id],
    );
    return row && passageOf(row);
  }

  /** Those of the places that are in scope and still live, in any order. */
  async listAt(
    tx: Queryable,
    scope: SearchScope,
    places: readonly PassagePlace[],
  ): Promise<(Passage & OfDocument & { generation: number })[]> {
    const rows = await tx.query<(PassageRecord & OfDocument & { generation: number })[]>(
      `select ${COLUMNS}, p.generation, d.title as "documentTitle", d.version as "documentVersion"
       from unnest($6::uuid[], $7::int[], $8::int[]) as wanted (document_id, generation, ordinal)
       join passage p using (document_id, generation, ordinal)
       join document d on d.id = p.document_id and d.live_generation = p.generation
       where ${IN_SCOPE} and p.tenant_id = $1`,
      [
        ...scopeParameters(scope),
        places.map(({ documentId }) => documentId),
        places.map(({ generation }) => generation),
        places.map(({ ordinal }) => ordinal),
      ],
    );
    return rows.map((row) => ({
      ...passageOf(row),
      generation: row.generation,
      documentTitle: row.documentTitle,
      documentVersion: row.documentVersion,
    }));
  }
}

/** Of the document that a passage stands in. The version grows with every change that can alter an answer. */
export interface OfDocument {
  documentTitle: string;
  documentVersion: number;
}

type PassageRecord = Omit<Passage, 'row'> & { tableRow: Passage['row'] };

function passageOf(record: PassageRecord): Passage {
  const { tableRow: row, ...passage } = record;
  return { ...passage, row };
}

const COLUMNS = `p.id, p.document_id as "documentId", p.ordinal, p.kind, p.text, p.heading_path as "headingPath",
  p.page, p.box, p.table_row as "tableRow", p.start_ms as "startMs", p.end_ms as "endMs"`;

/** What is deleted in one transaction: a second's work at most. */
const POSTINGS_AT_ONCE = 20_000;
const PASSAGES_AT_ONCE = 2_000;

const COPY = `
  insert into passage (tenant_id, document_id, generation, ordinal, id, kind, text, heading_path, page, box, table_row,
    start_ms, end_ms)
  select tenant_id, document_id, $4, ordinal, id, kind, text, heading_path, page, box, table_row, start_ms, end_ms
  from passage
  where tenant_id = $1 and document_id = $2 and generation = $3 and ordinal >= $5 and ordinal < $6
  on conflict do nothing
  returning ordinal`;

/** One parameter holds all rows, because arrays of arrays cannot be given to PostgreSQL. */
const INSERT = `
  insert into passage (tenant_id, document_id, generation, ordinal, id, kind, text, heading_path, page, box, table_row,
    start_ms, end_ms)
  select $1, $2, $3, ordinal, id, kind, text, heading_path, page, nullif(box, 'null'), nullif(table_row, 'null'),
    "startMs", "endMs"
  from jsonb_to_recordset($4::jsonb) as row (
    ordinal int, kind text, text text, heading_path text[], page int, box jsonb, table_row jsonb,
    "startMs" int, "endMs" int)
  join unnest($6::uuid[]) with ordinality as given (id, number) on number = ordinal - $5::int + 1`;
