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
  private readonly blocks: Block[] = [];
  private readonly byKey = new Map<string, Block>();

  /**
   * BM25 as Lucene computes it: a term counts ln(1 + (N − n + ½) / (n + ½)) · f / (f + k₁), N passages being searched
   * and n of them having the term.
   */
  constructor(terms: readonly TermPostings[], passageCount: number, k1: number) {
    for (const { count, postings } of terms) {
      const found = countEntries(postings);
      const total = Math.max(passageCount, found);
      this.add(postings, count * Math.log(1 + (total - found + 0.5) / (found + 0.5)), k1);
    }
  }

  /** 0 when the passage has no term of the question. */
  scoreOf({ documentId, generation, ordinal }: PassagePlace): number {
    const block = this.byKey.get(keyOf(documentId, generation, ordinal >> 8));
    return block?.scores[ordinal & 255] ?? 0;
  }

  /** The best first; of equals the one that comes first by document and ordinal. */
  best(limit: number): ScoredPassage[] {
    const top: Found[] = [];
    for (const block of this.blocks)
      for (let at = 0; at < block.scores.length; at++) {
        const score = block.scores[at]!;
        if (score === 0 || (top.length === limit && score < top.at(-1)!.score)) continue;
        insert(top, { block, at, score });
        if (top.length > limit) top.pop();
      }
    return top.map(({ block, at, score }) => ({ ...placeOf(block, at), score }));
  }

  private add(postings: Buffer, weight: number, k1: number): void {
    for (let at = 0; at < postings.length;) {
      const start = at + HEADER_BYTES;
      const end = start + postings.readUInt16BE(start - 2);
      const { scores } = this.blockOf(postings.toString('latin1', at, at + KEY_BYTES), postings[end - 3]!);
      for (let entry = start; entry < end; entry += ENTRY_BYTES) {
        const frequency = ((postings[entry + 1]! << 8) | postings[entry + 2]!) / SCALE;
        scores[postings[entry]!]! += (weight * frequency) / (frequency + k1);
      }
      at = end;
    }
  }

  /** With room up to the given ordinal within the block: most documents are far smaller than one. */
  private blockOf(key: string, last: number): Block {
    let block = this.byKey.get(key);
    if (!block) {
      block = { key, scores: new Float64Array(last + 1) };
      this.byKey.set(key, block);
      this.blocks.push(block);
    } else if (block.scores.length <= last) {
      const grown = new Float64Array(Math.min(Math.max(last + 1, block.scores.length * 2), 256));
      grown.set(block.scores);
      block.scores = grown;
    }
    return block;
  }
}

/** The scores of up to 256 passages of a document. */
interface Block {
  /** The bytes of document, generation and block as latin1 characters, which make a cheap key and sort as they do. */
  key: string;
  scores: Float64Array;
}

interface Found {
  block: Block;
  at: number;
  score: number;
}

function countEntries(postings: Buffer): number {
  let count = 0;
  for (let at = 0; at < postings.length;) {
    const length = postings.readUInt16BE(at + KEY_BYTES);
    count += length / ENTRY_BYTES;
    at += HEADER_BYTES + length;
  }
  return count;
}

/** Keeps the list sorted. */
function insert(top: Found[], found: Found): void {
  let low = 0;
  let high = top.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isBefore(found, top[middle]!)) high = middle;
    else low = middle + 1;
  }
  top.splice(low, 0, found);
}

function isBefore(a: Found, b: Found): boolean {
  if (a.score !== b.score) return a.score > b.score;
  return a.block === b.block ? a.at < b.at : a.block.key < b.block.key;
}

function placeOf({ key }: Block, at: number): PassagePlace {
  const bytes = Buffer.from(key, 'latin1');
  const documentId = bytes
    .toString('hex', 0, 16)
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  return { documentId, generation: bytes.readInt32BE(16), ordinal: bytes.readInt32BE(20) * 256 + at };
}

function keyOf(documentId: string, generation: number, block: number): string {
  const bytes = Buffer.alloc(KEY_BYTES);
  bytes.write(documentId.replaceAll('-', ''), 'hex');
  bytes.writeInt32BE(generation, 16);
  bytes.writeInt32BE(block, 20);
  return bytes.toString('latin1');
}

const KEY_BYTES = 24;
const HEADER_BYTES = KEY_BYTES + 2;
const ENTRY_BYTES = 3;
