import type { CellDraft, Line, RowDraft, TableDraft } from './draft.js';
import { overlap, type Rect, union } from './geometry.js';
import type { TaggedCell, TaggedTable } from './tagged-page.js';

/**
 * Rebuilds the grid of a tagged table. Tags give rows, cells and which cells are headers, but pdf.js gives no spans,
 * so columns come from where the text stands, and a column that a row lacks is covered by a cell from above.
 */
export function tableOf({ caption, rows: tagged }: Pick<TaggedTable, 'caption' | 'rows'>): TableDraft {
  const rows = tagged.filter((row) => row.some(hasText)).flatMap(splitStackedRow);
  const columns = findColumns(rows);
  const placed = rows.map((row) => place(row, columns));
  const headerCount = countHeaderRows(placed, columns.length);
  const headers = placed.slice(0, headerCount);
  const body = placed.slice(headerCount);
  const groupColumns = countGroupColumns(body, columns.length);
  return { kind: 'table', caption, rows: readRows(body, headers, { columns, groupColumns }) };
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

/** A cell with the columns that it stands over. */
interface PlacedCell extends TaggedCell {
  first: number;
  last: number;
}

interface Grid {
  columns: Range[];
  groupColumns: number;
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
function place(row: TaggedCell[], columns: Range[]): PlacedCell[] {
  if (row.length === columns.length)
    return row.map((cell, column) => ({ ...cell, first: column, last: column }));
  let free = 0;
  return row.flatMap((cell) => {
    if (!hasText(cell)) return [];
    const covered = columnsUnder(rectOf(cell), columns).filter((column) => column >= free);
    const first = covered[0] ?? Math.min(free, columns.length - 1);
    const last = covered.at(-1) ?? first;
    free = last + 1;
    return [{ ...cell, first, last }];
  });
}

function columnsUnder(rect: Rect, columns: Range[]): number[] {
  const width = Math.max(1, rect.x1 - rect.x0);
  return columns.flatMap(({ from, to }, column) => {
    const shared = overlap(rect.x0, rect.x1, from, to);
    return shared > 0.2 * width || shared >= 0.8 * (to - from) ? [column] : [];
  });
}

function countHeaderRows(rows: PlacedCell[][], columnCount: number): number {
  const firstBody = rows.findIndex((row) => !row.every((cell) => cell.header) || isSection(row, columnCount));
  if (firstBody > 0) return firstBody;
  if (firstBody === -1) return 0;
  const [first, ...others] = rows as [PlacedCell[], ...PlacedCell[][]];
  const complete =
    first.length === columnCount && first.every(hasText) && columnCount > 1 && others.length > 0;
  return complete && looksLikeHeader(first, others) ? 1 : 0;
}

/** For tables whose author did not mark the header: bold over plain text, or words over numbers. */
function looksLikeHeader(first: PlacedCell[], others: PlacedCell[][]): boolean {
  const isBold = (cell: PlacedCell) => linesOf(cell).every((line) => line.bold);
  const hasDigit = (cell: PlacedCell) => /\d/.test(textOfRow([cell]));
  if (first.every(isBold) && !others.every((row) => row.every(isBold))) return true;
  const numeric = others.filter((row) => row.slice(1).some(hasDigit)).length;
  return !first.some(hasDigit) && numeric * 2 > others.length;
}

/** A row with a single cell across the table names the rows under it. */
function isSection(row: PlacedCell[], columnCount: number): boolean {
  const [cell] = row;
  if (columnCount < 2 || row.length !== 1 || !cell) return false;
  return cell.header || cell.last > cell.first || linesOf(cell).every((line) => line.bold);
}

/** Leading columns in which some row has no cell of its own, so that one label stands for several rows. */
function countGroupColumns(body: PlacedCell[][], columnCount: number): number {
  const rows = body.filter((row) => !isSection(row, columnCount));
  const most = Math.max(0, columnCount - 2);
  let count = 0;
  while (count < most && rows.some((row) => !row.some((cell) => cell.first <= count && count <= cell.last)))
    count += 1;
  return count;
}

function readRows(
  body: PlacedCell[][],
  headers: PlacedCell[][],
  { columns, groupColumns }: Grid,
): RowDraft[] {
  const rows: RowDraft[] = [];
  const paths = columns.map((_, column) => headerPath(headers, column));
  let section: Line[] | null = null;
  let above: (PlacedCell | undefined)[] = [];
  for (const row of body) {
    if (isSection(row, columns.length)) {
      section = linesOf(row[0]!);
      above = [];
      continue;
    }
    const current = columns.map((_, column) =>
      row.find((cell) => cell.first <= column && column <= cell.last),
    );
    const startsGroup = groupColumns > 0 && current[0] !== undefined;
    const filled = current.map((cell, column) => cell ?? (startsGroup ? undefined : above[column]));
    above = filled;
    const linesAt = (column: number) => (filled[column] ? linesOf(filled[column]) : []);
    const cells: CellDraft[] = [];
    for (let column = groupColumns + 1; column < columns.length; column += 1) {
      if (linesAt(column).length > 0) cells.push({ header: paths[column]!, lines: linesAt(column) });
    }
    const labels = Array.from({ length: groupColumns }, (_, column) => linesAt(column));
    rows.push({
      group: [...(section ? [section] : []), ...labels].filter((lines) => lines.length > 0),
      label: linesAt(groupColumns),
      cells,
      own: row.filter((cell) => cell.first >= groupColumns).flatMap(linesOf),
    });
  }
  return rows;
}

/** The headers over a column, from the outside in. A short header centred over many columns is found by nearness. */
function headerPath(headers: PlacedCell[][], column: number): Line[][] {
  return headers.flatMap((row, level) => {
    const over = row.find((cell) => cell.first <= column && column <= cell.last);
    if (over) return hasText(over) ? [linesOf(over)] : [];
    const below = headers[level + 1]?.find((cell) => cell.first <= column && column <= cell.last);
    if (!below) return [];
    const spanning = row.filter((cell) =>
      headers[level + 1]!.some((other) => other.first <= cell.last && cell.first <= other.last),
    );
    const nearest = spanning.sort((a, b) => distance(a, column) - distance(b, column))[0];
    return nearest ? [linesOf(nearest)] : [];
  });
}

const distance = (cell: PlacedCell, column: number) => Math.max(cell.first - column, column - cell.last, 0);

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
