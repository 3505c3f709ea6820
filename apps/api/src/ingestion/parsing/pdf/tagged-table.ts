import { type GridCell, readGrid } from '../table-grid.js';
import type { Line, TableDraft } from './draft.js';
import { overlap, type Rect, union } from './geometry.js';
import type { TaggedCell, TaggedTable } from './tagged-page.js';

/**
 * Rebuilds the grid of a tagged table. Tags give rows, cells and which cells are headers, but pdf.js gives no spans,
 * so columns come from where the text stands, and a column that a row lacks is covered by a cell from above.
 */
export function tableOf({ caption, rows: tagged }: Pick<TaggedTable, 'caption' | 'rows'>): TableDraft {
  const rows = tagged.filter((row) => row.some(hasText)).flatMap(splitStackedRow);
  const columns = findColumns(rows);
  const grid = readGrid(
    rows.map((row) => place(row, columns)),
    columns.length,
  );
  return {
    kind: 'table',
    caption,
    rows: grid.map(({ group, label, cells, own }) => ({
      group,
      label: label ?? [],
      cells: cells.map(({ header, content }) => ({ header, lines: content })),
      own: own.flat(),
    })),
  };
}

/** Whether `next`, the first table of a page, goes on with `table`, the last one of the page before. */
export function continueTable(table: TaggedTable, next: TaggedTable): TaggedTable | null {
  const sameElement = table.rows.length === next.rows.length && !next.rows[0]?.some(hasText);
  if (sameElement) {
    const rows = table.rows.map((row, r) =>
      row.map((cell, c) => ({
        header: cell.header,
        paragraphs: [...cell.paragraphs, ...(next.rows[r]?.[c]?.paragraphs ?? [])],
      })),
    );
    return { ...table, rows };
  }
  const headers = table.rows.filter((row) => row.every((cell) => cell.header)).map(textOfRow);
  const repeated = next.rows.findIndex((row) => !headers.includes(textOfRow(row)));
  const startsWithHeader = next.rows[0]?.every((cell) => cell.header) ?? false;
  if (startsWithHeader && repeated <= 0) return null;
  if (widthOf(table.rows) !== widthOf(next.rows)) return null;
  return { ...table, rows: [...table.rows, ...next.rows.slice(Math.max(0, repeated))] };
}

interface Range {
  from: number;
  to: number;
}

const hasText = (cell: TaggedCell) => cell.paragraphs.length > 0;
const linesOf = (cell: TaggedCell): Line[] => cell.paragraphs.flat();
const rectOf = (cell: TaggedCell): Rect => union(linesOf(cell).map((line) => line.rect));
const textOfRow = (row: TaggedCell[]) =>
  row
    .flatMap(linesOf)
    .map((line) => line.text)
    .join(' ');
const widthOf = (rows: TaggedCell[][]) => Math.max(0, ...rows.map((row) => row.length));

/** Columns touch each other half-way between the text of one and the next, in points. */
function findColumns(rows: TaggedCell[][]): Range[] {
  const count = widthOf(rows);
  const full = rows.filter((row) => row.length === count);
  const body = full.filter((row) => !row.every((cell) => cell.header));
  const extents = Array.from({ length: count }, (_, column) => {
    const inColumn = (source: TaggedCell[][]) =>
      source
        .map((row) => row[column]!)
        .filter(hasText)
        .map(rectOf);
    const rects = inColumn(body).length > 0 ? inColumn(body) : inColumn(full);
    return rects.length > 0 ? union(rects) : null;
  });
  const known = extents.filter((extent) => extent !== null);
  let left = -Infinity;
  return extents.map((extent, column) => {
    const next = extents.slice(column + 1).find((other) => other !== null);
    const here = extent ?? (known.length > 0 ? { x0: left, x1: left } : { x0: 0, x1: 0 });
    const right = next ? (here.x1 + next.x0) / 2 : Infinity;
    const range = { from: left, to: Math.max(left, right) };
    left = range.to;
    return range;
  });
}

/** A full row's cells stand in order; those of a shorter row stand where their text overlaps the columns. */
function place(row: TaggedCell[], columns: Range[]): GridCell<Line[]>[] {
  if (row.length === columns.length) return row.map((cell, column) => toGrid(cell, column, column));
  let free = 0;
  return row.flatMap((cell) => {
    if (!hasText(cell)) return [];
    const covered = columnsUnder(rectOf(cell), columns).filter((column) => column >= free);
    const first = covered[0] ?? Math.min(free, columns.length - 1);
    const last = covered.at(-1) ?? first;
    free = last + 1;
    return [toGrid(cell, first, last)];
  });
}

function toGrid(cell: TaggedCell, first: number, last: number): GridCell<Line[]> {
  const content = linesOf(cell);
  const bold = content.length > 0 && content.every((line) => line.bold);
  return { first, last, header: cell.header, bold, text: textOfRow([cell]), content };
}

function columnsUnder(rect: Rect, columns: Range[]): number[] {
  const width = Math.max(1, rect.x1 - rect.x0);
  return columns.flatMap(({ from, to }, column) => {
    const shared = overlap(rect.x0, rect.x1, from, to);
    return shared > 0.2 * width || shared >= 0.8 * (to - from) ? [column] : [];
  });
}

/**
 * Some authors stack several rows in one: every cell holds as many paragraphs as the label has, at the same heights.
 * A cell with one paragraph is shared by all of them.
 */
function splitStackedRow(row: TaggedCell[]): TaggedCell[][] {
  const label = row.find((cell) => cell.paragraphs.length > 1);
  if (!label || row.some((cell) => cell.header) || row.length < 2) return [row];
  const tops = label.paragraphs.map((lines) => lines[0]!.rect.y0);
  const height = label.paragraphs[0]![0]!.size;
  const stacked = row.filter((cell) => cell.paragraphs.length > 1);
  const aligned = stacked.every(
    (cell) =>
      cell.paragraphs.length === tops.length &&
      cell.paragraphs.every((lines, i) => Math.abs(lines[0]!.rect.y0 - tops[i]!) < height),
  );
  if (!aligned || stacked.length < 2) return [row];
  return tops.map((_, i) =>
    row.map((cell) => ({
      header: cell.header,
      paragraphs: cell.paragraphs.length > 1 ? [cell.paragraphs[i]!] : cell.paragraphs,
    })),
  );
}
