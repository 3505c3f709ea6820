import type { NewPassage, PassageCell } from '../../rag/passages/index.js';
import { sentencesOf } from '../../rag/passages/index.js';
import type { TableBlock, TableCell, TableRow } from '../parsing/extracted-document.js';
import { prosePassages } from './prose.js';
import { countWords, cutLong, MAX_WORDS } from './words.js';

type Unnumbered = Omit<NewPassage, 'ordinal'>;

/**
 * A passage for each row: `Group — Label | Header: cell | Header: cell`. A row over the limit becomes several, cut
 * between cells, then inside a cell at sentence borders, and each repeats group and label.
 */
export function tablePassages(table: TableBlock, headingPath: string[]): Unnumbered[] {
  const told = new Set<string>();
  return table.rows.flatMap((row) => {
    const { short, long } = shorten(row);
    const asides = long.filter((text) => !told.has(text));
    for (const text of asides) told.add(text);
    const prose = asides.flatMap((text) =>
      prosePassages([{ kind: 'paragraph', text, page: row.page, box: row.box }], headingPath),
    );
    return [...prose, ...rowPassages(short, table.caption, headingPath).filter(({ text }) => text !== '')];
  });
}

function rowPassages(row: TableRow, caption: string | null, headingPath: string[]): Unnumbered[] {
  const prefix = [row.group, row.label].filter(Boolean).join(' — ');
  const room = MAX_WORDS - countWords(prefix);
  return packCells(
    row.cells.flatMap((cell) => cutCell(cell, room)),
    room,
  ).map((packed) => {
    const { text, cells } = writeRow(prefix, packed);
    return {
      kind: 'table-row',
      text,
      headingPath,
      page: row.page,
      box: row.box,
      row: { caption, group: row.group, label: row.label, cells },
    };
  });
}

/** A cell whose text fits into the room that a row's labels leave, or pieces of it under the same header. */
function cutCell(cell: TableCell, room: number): TableCell[] {
  const limit = room - wordsOf({ ...cell, text: '' });
  if (countWords(cell.text) <= limit) return [cell];
  const pieces = sentencesOf(cell.text).flatMap((sentence) => cutLong(cell.text, sentence, limit));
  const packed: typeof pieces = [];
  for (const piece of pieces) {
    const last = packed.at(-1);
    if (last && countWords(cell.text.slice(last.start, piece.end)) <= limit) last.end = piece.end;
    else packed.push({ ...piece });
  }
  return packed.map(({ start, end }) => ({ ...cell, text: cell.text.slice(start, end).trim() }));
}

function packCells(cells: readonly TableCell[], room: number): TableCell[][] {
  const packed: TableCell[][] = [[]];
  let words = 0;
  for (const cell of cells) {
    if (words > 0 && words + wordsOf(cell) > room) {
      packed.push([]);
      words = 0;
    }
    packed.at(-1)!.push(cell);
    words += wordsOf(cell);
  }
  return packed;
}

/** With the bar that is put before a cell and the colon behind its header. */
const wordsOf = ({ header, text }: TableCell) => 1 + countWords(header) + countWords(text);

function writeRow(prefix: string, cells: readonly TableCell[]): { text: string; cells: PassageCell[] } {
  let text = prefix;
  const written = cells.map((cell): PassageCell => {
    if (text !== '') text += ' | ';
    if (cell.header !== '') text += `${cell.header}: `;
    const start = text.length;
    text += cell.text;
    return { header: cell.header, text: cell.text, start, end: text.length, box: cell.box };
  });
  return { text, cells: written };
}

/**
 * Labels are repeated in every passage of a row, so long ones are cut to their first words there, and told once in
 * full as text of their own.
 */
function shorten(row: TableRow): { short: TableRow; long: string[] } {
  const long: string[] = [];
  const cut = (text: string) => {
    if (countWords(text) <= MAX_LABEL_WORDS) return text;
    long.push(text);
    return firstWords(text, MAX_LABEL_WORDS);
  };
  const short = {
    ...row,
    group: row.group === null ? null : cut(row.group),
    label: cut(row.label),
    cells: row.cells.map((cell) => ({ ...cell, header: cut(cell.header) })),
  };
  return { short, long };
}

function firstWords(text: string, limit: number): string {
  const [first] = cutLong(text, { start: 0, end: text.length }, limit);
  return text.slice(0, first!.end).trim();
}

/** Group, label and header together always leave room for some words of a cell. */
const MAX_LABEL_WORDS = 24;
