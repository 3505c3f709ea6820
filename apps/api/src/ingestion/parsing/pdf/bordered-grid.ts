import { type Borders, isDivided, middleX, middleY, SAME_PLACE } from './borders.js';
import type { Line } from './draft.js';
import { overlap } from './geometry.js';
import { cellOf, type Range } from './table-columns.js';
import type { SketchCell } from './table-sketch.js';

interface Extent {
  top: number;
  bottom: number;
  first: number;
  last: number;
}

/**
 * Cells of a table whose cells all have borders. Where a border is missing between two places of the grid, they are
 * one cell: this is how tables show what several rows or columns share.
 * @param heights of the horizontal borders, from top to bottom
 */
export function readBorderedGrid(
  lines: readonly Line[],
  columns: readonly Range[],
  heights: readonly number[],
  borders: Borders,
): SketchCell[][] {
  const extents = findCells(columns, heights, borders, lines);
  const byCell = new Map<Extent, Line[]>();
  for (const line of lines) {
    const cell =
      extents.find((extent) => contains(extent, line, columns, heights)) ??
      nearest(extents, line, columns, heights);
    if (cell) byCell.set(cell, [...(byCell.get(cell) ?? []), line]);
  }
  return heights
    .slice(1)
    .map((_, row) =>
      extents
        .filter((extent) => extent.top === row)
        .sort((a, b) => a.first - b.first)
        .map((extent) => ({
          ...cellOf(byCell.get(extent) ?? []),
          columns: { first: extent.first, last: extent.last },
        })),
    )
    .filter((row) => row.some((cell) => cell.paragraphs.length > 0));
}

/** Joins places of the grid to the right and downwards until a border stops them. `top` and `bottom` are rows. */
function findCells(
  columns: readonly Range[],
  heights: readonly number[],
  { horizontal, vertical }: Borders,
  lines: readonly Line[],
): Extent[] {
  const taken = new Set<string>();
  const cells: Extent[] = [];
  const hasFloor = (row: number, column: number) => {
    const { from, to } = columns[column]!;
    const drawn = horizontal
      .filter((rule) => Math.abs(middleY(rule) - heights[row + 1]!) < SAME_PLACE)
      .reduce((sum, rule) => sum + Math.max(0, overlap(rule.x0, rule.x1, from, to)), 0);
    return drawn > 0.5 * (to - from);
  };
  const isDrawn = (row: number, column: number) =>
    isDivided(vertical, columns[column]!.to, { top: heights[row]!, bottom: heights[row + 1]! });
  const isBlank = (row: number, column: number) =>
    !lines.some((line) =>
      contains({ top: row, bottom: row, first: column, last: column }, line, columns, heights),
    );
  // Without vertical borders, a title over several columns is underlined along all of them.
  const isUnderTitle = (row: number, column: number) =>
    row === 0 &&
    isBlank(0, column + 1) &&
    !hasFloor(0, 0) &&
    horizontal.some(
      (rule) =>
        Math.abs(middleY(rule) - heights[1]!) < SAME_PLACE &&
        [columns[column]!, columns[column + 1]!].every(
          ({ from, to }) => overlap(rule.x0, rule.x1, from, to) > 0.4 * (to - from),
        ),
    );
  const hasWall = (row: number, column: number) =>
    vertical.length > 0 ? isDrawn(row, column) : !isUnderTitle(row, column);
  for (let row = 0; row < heights.length - 1; row += 1) {
    for (let first = 0; first < columns.length; first += 1) {
      if (taken.has(`${row},${first}`)) continue;
      let last = first;
      while (last + 1 < columns.length && !hasWall(row, last) && !taken.has(`${row},${last + 1}`)) last += 1;
      let bottom = row;
      while (bottom + 2 < heights.length && !hasFloor(bottom, first)) bottom += 1;
      for (let r = row; r <= bottom; r += 1) for (let c = first; c <= last; c += 1) taken.add(`${r},${c}`);
      cells.push({ top: row, bottom, first, last });
    }
  }
  return cells;
}

function contains(
  { top, bottom, first, last }: Extent,
  line: Line,
  columns: readonly Range[],
  heights: readonly number[],
): boolean {
  const y = middleY(line.rect);
  const x = middleX(line.rect);
  return y > heights[top]! && y <= heights[bottom + 1]! && x > columns[first]!.from && x <= columns[last]!.to;
}

/** Text may stick out of its cell; none may get lost. */
function nearest(
  extents: readonly Extent[],
  line: Line,
  columns: readonly Range[],
  heights: readonly number[],
): Extent | undefined {
  const distance = ({ top, bottom, first, last }: Extent) =>
    Math.abs((heights[top]! + heights[bottom + 1]!) / 2 - middleY(line.rect)) +
    Math.abs((columns[first]!.from + columns[last]!.to) / 2 - middleX(line.rect));
  return [...extents].sort((a, b) => distance(a) - distance(b))[0];
}
