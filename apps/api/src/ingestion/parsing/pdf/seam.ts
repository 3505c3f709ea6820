import type { Block, TableBlock, TextBlock } from '../extracted-document.js';
import { finishBlocks, joinLines, type Vocabulary, vocabularyOf } from './finish.js';
import { continueTable, MAX_HEADER_ROWS, tableOf } from './sketch-table.js';
import type { TableSketch } from './table-sketch.js';

/** A text at the border of two stretches of pages, or a table as the page shows it. */
export type SeamEnd = { size: number } | { table: TableSketch };

/** What the borders of a stretch of pages must show, so that what goes on over them can be joined. */
export interface Seam {
  firstPage: number;
  /** Of the first block; null when nothing can go on there. */
  start: SeamEnd | null;
  /** Of the last block before the notes at the foot of the last page, of which there are so many. */
  end: (SeamEnd & { notes: number }) | null;
  breaksWords: boolean;
}

/** What is held back of a stretch of pages until the next one is known. */
export interface OpenEnd {
  end: SeamEnd;
  /** The last block, and the notes that stand below it. */
  blocks: Block[];
}

/**
 * Puts two stretches of pages together: a sentence or a table that goes on overleaf is one again.
 *
 * @param open what was held back of the stretch before; null at the beginning
 * @param blocks of this stretch; null at the end of the document
 * @returns all blocks that can be given away, and what is held back now
 */
export function joinStretches(
  open: OpenEnd | null,
  blocks: readonly Block[],
  seam: Seam | undefined,
): { blocks: Block[]; open: OpenEnd | null } {
  const [first, ...rest] = blocks;
  if (!first || !seam) return { blocks: [...(open?.blocks ?? []), ...blocks], open: null };
  const joined = open && seam.start ? join(open, first, seam.start, seam) : null;
  const all = joined ? [...joined.blocks, ...rest] : [...(open?.blocks ?? []), ...blocks];
  if (!seam.end) return { blocks: all, open: null };
  const { notes, ...ownEnd } = seam.end;
  const isSame = joined !== null && blocks.length === 1 + notes;
  const end = isSame ? joined.end : ownEnd;
  const held = notes + 1;
  return { blocks: all.slice(0, -held), open: { end: withoutBody(end), blocks: all.slice(-held) } };
}

interface Joined {
  blocks: Block[];
  end: SeamEnd;
}

function join(
  { end, blocks: [last, ...notes] }: OpenEnd,
  first: Block,
  start: SeamEnd,
  seam: Seam,
): Joined | null {
  if ('size' in end && 'size' in start) {
    if (last?.kind === 'table' || first.kind === 'table' || !last) return null;
    if (
      first.kind !== 'paragraph' ||
      isOtherSize(end.size, start.size) ||
      !isCutSentence(last.text, first.text)
    )
      return null;
    return { blocks: [...notes, joinTexts(last, first, seam)], end: start };
  }
  if (!('table' in end && 'table' in start) || !last || first.kind !== 'table') return null;
  const whole = continueTable(end.table, start.table);
  return whole && { blocks: [last, ...notes, restOf(whole, first, seam)], end: { table: whole } };
}

/** Whether a text goes on in the next: its sentence has no end, and the other one no beginning. */
export const isCutSentence = (text: string, next: string) =>
  !/[.!?:;]["”’)\]]*$/.test(text) && /^\p{Ll}/u.test(next);

export const isOtherSize = (a: number, b: number) => Math.abs(a - b) > 0.08 * a;

function joinTexts(last: TextBlock, first: TextBlock, { breaksWords }: Seam): TextBlock {
  // The words of neither stretch are at hand; its habit decides about a hyphen.
  const words: Vocabulary = { has: () => false, breaksWords };
  const { text, starts } = joinLines([last, first], words);
  const moved = (first.lines ?? []).map((line) => ({ ...line, start: line.start + starts[1]! }));
  return { ...last, text, lines: [...(last.lines ?? []), ...moved] };
}

/** The rows of a table that stand on the pages of this stretch, read together with the head of the table. */
function restOf(whole: TableSketch, first: TableBlock, { firstPage, breaksWords }: Seam): TableBlock {
  const draft = tableOf(whole);
  const words = { has: vocabularyOf([draft]).has, breaksWords };
  const [read] = finishBlocks([draft], words);
  if (read?.kind !== 'table') return first;
  const rows = read.rows.filter((row) => (row.page ?? firstPage) >= firstPage);
  return { ...first, caption: whole.caption ?? first.caption, rows };
}

/** Head and last row say how a table goes on; so it may have any number of rows between. */
export function withoutBody(end: SeamEnd): SeamEnd {
  if (!('table' in end)) return end;
  const { rows } = end.table;
  const isKept = (row: number) => row < MAX_HEADER_ROWS || row === rows.length - 1;
  // Tagged tables are matched row by row, so their rows stay, without text.
  const isTagged = rows.some((row) => row.every((cell) => cell.paragraphs.length === 0));
  const kept = isTagged
    ? rows.map((row, r) => (isKept(r) ? row : row.map((cell) => ({ ...cell, paragraphs: [] }))))
    : rows.filter((_, r) => isKept(r));
  return { table: { ...end.table, rows: kept } };
}
