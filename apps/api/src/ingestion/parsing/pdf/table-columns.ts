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
  return gaps
    .map((gap) => (gap.from + gap.to) / 2)
    .filter((x) => lines.filter((line) => crosses(line, x)).length <= tolerated)
    .filter(
      (x) =>
        divided.filter(
          (row) => row.some((line) => line.rect.x1 <= x) && row.some((line) => line.rect.x0 >= x),
        ).length > 1,
    );
}

/** A piece belongs to the column that it shares most with; one across several, to the first of them. */
export function startsIn(line: Line, columns: readonly Range[], column: number): boolean {
  const shares = columns.map(({ from, to }) => overlap(line.rect.x0, line.rect.x1, from, to));
  const width = line.rect.x1 - line.rect.x0;
  const first = shares.findIndex((share) => share > 0.25 * width);
  return (first === -1 ? shares.indexOf(Math.max(...shares)) : first) === column;
}

export function cellOf(lines: readonly Line[]): SketchCell {
  return { header: false, paragraphs: lines.length > 0 ? [rowsOf(lines).flat()] : [] };
}

/** The head is bold, or stands on a ground of its own. */
export function markHeaders(rows: SketchCell[][], { fills }: Pick<Frame, 'fills'>): void {
  const linesOf = (row: SketchCell[]) => row.flatMap((cell) => cell.paragraphs.flat());
  const isBold = (row: SketchCell[]) => linesOf(row).every((line) => line.bold);
  const isShaded = (row: SketchCell[]) =>
    linesOf(row).every(({ rect }) =>
      fills.some(
        (fill) =>
          overlapX(fill, rect) > 0.8 * (rect.x1 - rect.x0) &&
          fill.y0 < middle(rect) &&
          middle(rect) < fill.y1,
      ),
    );
  for (const isHead of [isBold, isShaded]) {
    const end = rows.findIndex((row) => !isHead(row));
    if (end <= 0 || (isHead === isShaded && rows.slice(end).some(isShaded))) continue;
    for (const cell of rows.slice(0, end).flat()) cell.header = true;
    return;
  }
}

const middle = (rect: { y0: number; y1: number }) => (rect.y0 + rect.y1) / 2;

/** In points. */
const MIN_GAP = 2;
