import { isAmount } from '../table-grid.js';
import type { Line } from './draft.js';
import type { Frame } from './frame.js';
import { overlap, overlapX } from './geometry.js';
import { rowsOf } from './segments.js';
import type { SketchCell } from './table-sketch.js';

/** Of a column, in points. */
export interface Range {
  from: number;
  to: number;
}

/** Columns between two edges, divided at the given places. */
export function rangesBetween(dividers: readonly number[], { x0, x1 }: { x0: number; x1: number }): Range[] {
  const edges = [x0, ...[...dividers].sort((a, b) => a - b), x1];
  return edges.slice(1).map((to, i) => ({ from: edges[i]!, to }));
}

/** Middles of the vertical stripes that hardly any line crosses and that divide at least two rows. */
export function gapsOf(lines: readonly Line[]): number[] {
  const rows = rowsOf(lines);
  const divided = rows.filter((row) => row.length > 1);
  const tolerated = Math.max(1, Math.floor(rows.length * 0.15));
  const gaps: Range[] = [];
  for (const row of divided) {
    for (let i = 1; i < row.length; i += 1) {
      const gap = { from: row[i - 1]!.rect.x1, to: row[i]!.rect.x0 };
      const known = gaps.find((other) => overlap(other.from, other.to, gap.from, gap.to) > MIN_GAP);
      if (!known) gaps.push(gap);
      else {
        known.from = Math.max(known.from, gap.from);
        known.to = Math.min(known.to, gap.to);
      }
    }
  }
  const crosses = (line: Line, x: number) => line.rect.x0 < x - 1 && line.rect.x1 > x + 1;
  const divides = (row: readonly Line[], x: number) =>
    row.some((line) => line.rect.x1 <= x) && row.some((line) => line.rect.x0 >= x);
  return gaps
    .map((gap) => (gap.from + gap.to) / 2)
    .filter((x) => lines.filter((line) => crosses(line, x)).length <= tolerated)
    .filter((x) => divided.filter((row) => divides(row, x)).length > 1);
}

/** The columns that a piece of a line stands in; nearly always one. */
export function columnsOf(line: Line, columns: readonly Range[]): { first: number; last: number } {
  const width = line.rect.x1 - line.rect.x0;
  const shares = columns.map(({ from, to }) => overlap(line.rect.x0, line.rect.x1, from, to));
  const under = shares.flatMap((share, column) => (share > 0.25 * width ? [column] : []));
  const most = shares.indexOf(Math.max(...shares));
  return { first: under[0] ?? most, last: under.at(-1) ?? most };
}

/** The cells of one row, blank ones too. A piece across several columns makes a cell across them. */
export function cellsOfRow(lines: readonly Line[], columns: readonly Range[]): SketchCell[] {
  const cells: SketchCell[] = [];
  for (let column = 0; column < columns.length;) {
    const own = lines.filter((line) => columnsOf(line, columns).first === column);
    const last = Math.max(column, ...own.map((line) => columnsOf(line, columns).last));
    const inside = lines.filter((line) => {
      const { first } = columnsOf(line, columns);
      return first >= column && first <= last;
    });
    cells.push({ ...cellOf(inside), columns: { first: column, last } });
    column = last + 1;
  }
  return cells;
}

export function cellOf(lines: readonly Line[]): SketchCell {
  return { header: false, paragraphs: lines.length > 0 ? [rowsOf(lines).flat()] : [] };
}

/** Whether a cell begins with a bullet. */
export function isItem({ paragraphs }: SketchCell): boolean {
  return /^[•▪●◦‣⁃∙·■]\s/u.test(paragraphs[0]?.[0]?.text ?? '');
}

/** The head is bold, or stands on a ground of its own. */
export function markHeaders(rows: SketchCell[][], { fills }: Pick<Frame, 'fills'>): void {
  const linesOf = (row: SketchCell[]) => row.flatMap((cell) => cell.paragraphs.flat());
  const isBold = (row: SketchCell[]) => linesOf(row).every((line) => line.bold);
  const isOn = (line: Line) => {
    const { rect } = line;
    const middle = (rect.y0 + rect.y1) / 2;
    return fills.some(
      (fill) => overlapX(fill, rect) > 0.8 * (rect.x1 - rect.x0) && fill.y0 < middle && middle < fill.y1,
    );
  };
  const isShaded = (row: SketchCell[]) => linesOf(row).every(isOn);
  const isTotal = (row: SketchCell[]) => row.slice(1).some((cell) => isAmount(textOf(cell)));
  for (const isHead of [isBold, isShaded]) {
    const end = rows.findIndex((row) => !isHead(row) || isTotal(row));
    if (end <= 0 || (isHead === isShaded && rows.slice(end).some(isShaded))) continue;
    for (const cell of rows.slice(0, end).flat()) cell.header = true;
    return;
  }
}

const textOf = (cell: SketchCell) =>
  cell.paragraphs
    .flat()
    .map((line) => line.text)
    .join(' ');

/** In points. */
const MIN_GAP = 2;
