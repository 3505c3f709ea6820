import { type GridCell, readGrid } from '../table-grid.js';
import type { Line, TableDraft } from './draft.js';
import { overlap, overlapX, type Rect, union } from './geometry.js';
import type { SketchCell, TableSketch } from './table-sketch.js';

/**
 * Rebuilds the grid of a tagged table. Tags give rows, cells and which cells are headers, but pdf.js gives no spans,
 * so columns come from where the text stands, and a column that a row lacks is covered by a cell from above.
 */
export function tableOf({ caption, rows: tagged }: Pick<TableSketch, 'caption' | 'rows'>): TableDraft {
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

/**
 * The table that `table`, the last one of a page, and `next`, the first one of the following page, are together;
 * null when they are two. Rows of a head that is repeated are dropped.
 */
export function continueTable(table: TableSketch, next: TableSketch): TableSketch | null {
  const sameElement = table.rows.length === next.rows.length && !next.rows[0]?.some(hasText);
  if (sameElement) {
    const rows = table.rows.map((row, r) =>
      row.map((cell, c) => ({
        ...cell,
        paragraphs: [...cell.paragraphs, ...(next.rows[r]?.[c]?.paragraphs ?? [])],
      })),
    );
    return { ...table, rows };
  }
  if (widthOf(table.rows) !== widthOf(next.rows) || !sameExtent(table.rows, next.rows)) return null;
  const head = table.rows.slice(0, MAX_HEADER_ROWS).map(textOfRow);
  const repeated = next.rows.findIndex((row) => !head.includes(textOfRow(row)));
  if (repeated === -1) return table;
  const hasOwnHeader = next.rows[repeated]?.every((cell) => cell.header) ?? false;
  return hasOwnHeader ? null : { ...table, rows: [...table.rows, ...next.rows.slice(repeated)] };
}

/** Whether both stand at about the same place across the page. */
function sameExtent(a: SketchCell[][], b: SketchCell[][]): boolean {
  const [left, right] = [a, b].map((rows) => union(rows.flat().filter(hasText).map(rectOf)));
  if (!left || !right) return false;
  const tolerance = 0.15 * (left.x1 - left.x0);
  return Math.abs(left.x0 - right.x0) < tolerance && Math.abs(left.x1 - right.x1) < 2 * tolerance;
}

/** A table's head has no more rows than these. */
export const MAX_HEADER_ROWS = 3;

interface Range {
  from: number;
  to: number;
}

const hasText = (cell: SketchCell) => cell.paragraphs.length > 0;
const linesOf = (cell: SketchCell): Line[] => cell.paragraphs.flat();
const rectOf = (cell: SketchCell): Rect => union(linesOf(cell).map((line) => line.rect));
const textOfRow = (row: SketchCell[]) =>
  row
    .flatMap(linesOf)
    .map((line) => line.text)
    .join(' ');
const widthOf = (rows: SketchCell[][]) =>
  Math.max(
    0,
    ...rows.map((row) => Math.max(row.length, ...row.map((cell) => (cell.columns?.last ?? -1) + 1))),
  );

/** Columns touch each other half-way between the text of one and the next, in points. */
function findColumns(rows: SketchCell[][]): Range[] {
  const extents = widen(extentsOf(rows), rows);
  let left = -Infinity;
  return extents.map((extent, column) => {
    const next = extents.slice(column + 1).find((other) => other !== null);
    const right = next && extent ? (extent.x1 + next.x0) / 2 : extent ? Infinity : left;
    const range = { from: left, to: Math.max(left, right) };
    left = range.to;
    return range;
  });
}

/** Where the text of each column stands in the rows that have a cell for each, preferably below the head. */
function extentsOf(rows: SketchCell[][]): (Rect | null)[] {
  const count = widthOf(rows);
  const full = rows.filter((row) => row.length === count);
  const body = full.filter((row) => !row.every((cell) => cell.header));
  return Array.from({ length: count }, (_, column) => {
    const [inBody, inAll] = [body, full].map((source) =>
      source
        .map((row) => row[column]!)
        .filter(hasText)
        .map(rectOf),
    );
    if (inBody!.length > 0) return union(inBody!);
    return inAll!.length > 0 ? union(inAll!) : null;
  });
}

/** Text of shorter rows over one column alone belongs to it too: titles are often wider than figures. */
function widen(extents: readonly (Rect | null)[], rows: SketchCell[][]): (Rect | null)[] {
  const wide = [...extents];
  for (const rect of rows
    .filter((row) => row.length < extents.length)
    .flatMap((row) => row.filter(hasText).map(rectOf))) {
    const over = wide.flatMap((extent, column) => (extent && overlapX(extent, rect) > 0 ? [column] : []));
    if (over.length === 1) wide[over[0]!] = union([wide[over[0]!]!, rect]);
  }
  return wide;
}

/** A full row's cells stand in order; those of a shorter row stand where their text overlaps the columns. */
function place(row: SketchCell[], columns: Range[]): GridCell<Line[]>[] {
  if (row.every((cell) => cell.columns))
    return row.map((cell) => toGrid(cell, cell.columns!.first, cell.columns!.last));
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

function toGrid(cell: SketchCell, first: number, last: number): GridCell<Line[]> {
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
function splitStackedRow(row: SketchCell[]): SketchCell[][] {
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
      ...cell,
      paragraphs: cell.paragraphs.length > 1 ? [cell.paragraphs[i]!] : cell.paragraphs,
    })),
  );
}
