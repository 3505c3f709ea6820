import type { PassagePlace } from '../search-scope.js';
import { SCALE } from './postings.js';

/** All postings of one term in the documents that are searched. */
export interface TermPostings {
  /** How often the question has the term. */
  count: number;
  /**
   * One after the other: the document's id (16 bytes), its generation (4), block (4), length of the entries (2), and
   * the entries as `Posting` describes them.
   */
  postings: Buffer;
}

export type ScoredPassage = PassagePlace & { score: number };

/** The scores of all passages that have at least one term of the question. */
export class Bm25Scores {
  private readonly documents: string[] = [];
  private readonly numbers = new Map<string, number>();
  private readonly scores = new Map<number, number>();

  /**
   * BM25 as Lucene computes it: a term counts ln(1 + (N − n + ½) / (n + ½)) · f / (f + k₁), N passages being searched
   * and n of them having the term.
   */
  constructor(terms: readonly TermPostings[], passageCount: number, k1: number) {
    for (const { count, postings } of terms) {
      const found = entriesIn(postings);
      const total = Math.max(passageCount, found);
      this.add(postings, count * Math.log(1 + (total - found + 0.5) / (found + 0.5)), k1);
    }
  }

  /** 0 when the passage has no term of the question. */
  scoreOf({ documentId, generation, ordinal }: PassagePlace): number {
    const number = this.numbers.get(documentKey(documentId, generation));
    return number === undefined ? 0 : (this.scores.get(keyOf(number, ordinal)) ?? 0);
  }

  /** The best first; of equals the one that comes first by document and ordinal. */
  best(limit: number): ScoredPassage[] {
    const worst = Float64Array.from(this.scores.values()).sort().at(-limit) ?? 0;
    return [...this.scores]
      .filter(([, score]) => score >= worst)
      .map(([key, score]) => ({ ...this.placeOf(key), score }))
      .sort((a, b) => b.score - a.score || compare(a.documentId, b.documentId) || a.ordinal - b.ordinal)
      .slice(0, limit);
  }

  private add(postings: Buffer, weight: number, k1: number): void {
    for (const { document, firstOrdinal, start, end } of blocksIn(postings)) {
      const number = this.numberOf(document);
      for (let at = start; at < end; at += 3) {
        const key = keyOf(number, firstOrdinal + postings[at]!);
        const frequency = ((postings[at + 1]! << 8) | postings[at + 2]!) / SCALE;
        this.scores.set(key, (this.scores.get(key) ?? 0) + (weight * frequency) / (frequency + k1));
      }
    }
  }

  private numberOf(document: string): number {
    let number = this.numbers.get(document);
    if (number === undefined) {
      number = this.documents.push(document) - 1;
      this.numbers.set(document, number);
    }
    return number;
  }

  private placeOf(key: number): PassagePlace {
    const document = Buffer.from(this.documents[Math.floor(key / MAX_ORDINALS)]!, 'latin1');
    const documentId = document
      .toString('hex', 0, 16)
      .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
    return { documentId, generation: document.readInt32BE(16), ordinal: key % MAX_ORDINALS };
  }
}

interface Block {
  /** The bytes of id and generation as latin1 characters, which make a cheap key. */
  document: string;
  firstOrdinal: number;
  start: number;
  end: number;
}

function* blocksIn(postings: Buffer): Generator<Block> {
  for (let at = 0; at < postings.length;) {
    const start = at + HEADER_BYTES;
    const end = start + postings.readUInt16BE(at + 24);
    yield {
      document: postings.toString('latin1', at, at + 20),
      firstOrdinal: postings.readInt32BE(at + 20) << 8,
      start,
      end,
    };
    at = end;
  }
}

function entriesIn(postings: Buffer): number {
  let count = 0;
  for (const { start, end } of blocksIn(postings)) count += (end - start) / 3;
  return count;
}

function documentKey(documentId: string, generation: number): string {
  const key = Buffer.alloc(20);
  key.write(documentId.replaceAll('-', ''), 'hex');
  key.writeInt32BE(generation, 16);
  return key.toString('latin1');
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
const keyOf = (document: number, ordinal: number) => document * MAX_ORDINALS + ordinal;

const HEADER_BYTES = 26;
const MAX_ORDINALS = 2 ** 24;
