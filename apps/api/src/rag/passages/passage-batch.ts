import { postingsOf } from './lexical/postings.js';
import type { NewPassage } from './passage.js';

/** Postings hold so many passages: a batch begins at a multiple of it, and only the last one ends elsewhere. */
export const PASSAGES_PER_BLOCK = 256;

/** Passages with consecutive ordinals, written as the database takes them. */
export interface PassageBatch {
  /** Ordinal of the first. */
  first: number;
  count: number;
  /** JSON: the rows of `passage`, without what all of them share. */
  passages: string;
  /** JSON: the rows of `posting`, likewise. */
  postings: string;
}

/** @param around the passages before and after these, which say what the borders of the batch are about */
export function batchOf(
  passages: readonly NewPassage[],
  { before, after }: { before?: NewPassage | null; after?: NewPassage } = {},
): PassageBatch {
  const rows = passages.map(({ headingPath, row, ...passage }) => ({
    ...passage,
    heading_path: headingPath,
    table_row: row,
  }));
  const all = [...(before ? [before] : []), ...passages, ...(after ? [after] : [])];
  const start = before ? 1 : 0;
  // In the order of the index, which is written faster so.
  const postings = postingsOf(all, { start, end: start + passages.length })
    .sort((a, b) => (a.term < b.term ? -1 : a.term > b.term ? 1 : a.block - b.block))
    .map(({ term, block, entries }) => ({ term, block, entries: entries.toString('hex') }));
  return {
    first: passages[0]?.ordinal ?? 0,
    count: passages.length,
    passages: JSON.stringify(rows, storable),
    postings: JSON.stringify(postings),
  };
}

/** What `batchOf` was given, as it was made storable. */
export function newPassagesOf(batch: PassageBatch): NewPassage[] {
  const rows = JSON.parse(batch.passages) as (Omit<NewPassage, 'headingPath' | 'row'> & {
    heading_path: string[];
    table_row: NewPassage['row'];
  })[];
  return rows.map(({ heading_path: headingPath, table_row: row, ...passage }) => ({
    ...passage,
    headingPath,
    row,
  }));
}

/** PostgreSQL takes neither half a character nor a zero; what stands in their place has the same length. */
const storable = (_: string, value: unknown) =>
  typeof value === 'string' ? value.toWellFormed().replaceAll('\0', '\ufffd') : value;
