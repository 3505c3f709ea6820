import type { Line } from './draft.js';
import { type Rect, union } from './geometry.js';
import { baselineOf, rowsOf } from './segments.js';
import type { TableSketch } from './table-sketch.js';

/** Something that has its place on the page: a piece of a line, or a table found by its borders. */
export type Item = { rect: Rect } & ({ line: Line } | { table: TableSketch });

/**
 * Items of a page in reading order, as regions of a single column each. Where text stands in columns, the left one
 * is read to its end first; what stands across them separates what is above from what is below.
 */
export function regionsOf(items: readonly Item[], depth = 0): Item[][] {
  const gutter = depth < MAX_DEPTH ? findGutter(items) : undefined;
  if (gutter === undefined) return items.length > 0 ? [[...items]] : [];
  const regions: Item[][] = [];
  let across: Item[] = [];
  for (const band of bandsAt(items, gutter)) {
    if (!band.columns) across.push(...band.items);
    else {
      regions.push(...regionsOf(across, depth + 1));
      across = [];
      const isLeft = (item: Item) => item.rect.x0 < gutter;
      regions.push(...regionsOf(band.items.filter(isLeft), depth + 1));
      regions.push(
        ...regionsOf(
          band.items.filter((item) => !isLeft(item)),
          depth + 1,
        ),
      );
    }
  }
  return [...regions, ...regionsOf(across, depth + 1)];
}

interface Band {
  items: Item[];
  /** Whether the items stand in two columns, rather than across or beside each other. */
  columns: boolean;
}

/** The vertical line that separates most text into columns; undefined when there are none. */
function findGutter(items: readonly Item[]): number | undefined {
  let best: number | undefined;
  let bestScore = 0;
  for (const gutter of candidates(items)) {
    const separated = bandsAt(items, gutter).filter((band) => band.columns);
    const score = separated.reduce((sum, band) => sum + band.items.length, 0);
    if (score > bestScore) {
      best = gutter;
      bestScore = score;
    }
  }
  return best;
}

/** Middles of the gaps between pieces of one line, the most frequent ones. */
function candidates(items: readonly Item[]): number[] {
  const counts = new Map<number, { sum: number; count: number }>();
  for (const row of rowsOf(linesOf(items))) {
    for (let i = 1; i < row.length; i += 1) {
      const [left, right] = [row[i - 1]!, row[i]!];
      const middle = (left.rect.x1 + right.rect.x0) / 2;
      const key = Math.round(right.rect.x0 / GRID);
      const seen = counts.get(key) ?? { sum: 0, count: 0 };
      counts.set(key, {
        sum: seen.sum + Math.max(middle, right.rect.x0 - 0.7 * right.size),
        count: seen.count + 1,
      });
    }
  }
  return [...counts.values()]
    .filter(({ count }) => count > 1)
    .sort((a, b) => b.count - a.count)
    .slice(0, MAX_CANDIDATES)
    .map(({ sum, count }) => sum / count);
}

/** Bands from top to bottom: an item across the gutter, or all that stands between two of those. */
function bandsAt(items: readonly Item[], gutter: number): Band[] {
  const crossing = items.filter(({ rect }) => rect.x0 < gutter - 1 && rect.x1 > gutter + 1);
  const others = items.filter((item) => !crossing.includes(item)).sort((a, b) => a.rect.y0 - b.rect.y0);
  const bands: Band[] = [];
  for (const item of [...crossing].sort((a, b) => a.rect.y0 - b.rect.y0)) {
    const middle = (item.rect.y0 + item.rect.y1) / 2;
    const above = others.splice(
      0,
      countWhile(others, ({ rect }) => (rect.y0 + rect.y1) / 2 < middle),
    );
    if (above.length > 0) bands.push({ items: above, columns: areColumns(above, gutter) });
    bands.push({ items: [item], columns: false });
  }
  if (others.length > 0) bands.push({ items: others, columns: areColumns(others, gutter) });
  return bands;
}

function countWhile<T>(list: readonly T[], test: (value: T) => boolean): number {
  const end = list.findIndex((value) => !test(value));
  return end === -1 ? list.length : end;
}

/**
 * Columns hold prose, or something of their own beside prose; or lists, or tables with borders, on either side. Two
 * columns of short pieces are a table.
 */
function areColumns(items: readonly Item[], gutter: number): boolean {
  const left = items.filter(({ rect }) => rect.x0 < gutter);
  const right = items.filter(({ rect }) => rect.x0 >= gutter);
  if (hasTable(left) && hasTable(right)) return true;
  if (isList(left) && isList(right)) return true;
  if ([left, right].some((side) => rowsOf(linesOf(side)).length < MIN_LINES)) return false;
  const [leftProse, rightProse] = [isProse(left), isProse(right)];
  if (leftProse && rightProse) return true;
  if (leftProse) return isIndependent(right, left);
  return rightProse && isIndependent(left, right);
}

const hasTable = (side: readonly Item[]) => side.some((item) => 'table' in item);

/** Most rows begin with a bullet; the others are second lines of items. */
function isList(side: readonly Item[]): boolean {
  const rows = rowsOf(linesOf(side));
  return rows.length > 0 && rows.filter((row) => BULLET.test(row[0]!.text)).length * 2 > rows.length;
}

/** Most lines fill the width, as lines of a paragraph do. */
function isProse(side: readonly Item[]): boolean {
  const lines = linesOf(side);
  const { x0, x1 } = union(lines.map((line) => line.rect));
  const full = lines.filter((line) => line.rect.x1 - line.rect.x0 > 0.7 * (x1 - x0));
  const words = lines.reduce((sum, line) => sum + line.text.split(' ').length, 0);
  return full.length >= 0.5 * lines.length && words >= 4 * lines.length;
}

/** A list, a table, or lines that do not stand at the heights of the other side's, as labels of a table do. */
function isIndependent(side: readonly Item[], other: readonly Item[]): boolean {
  if (hasTable(side) || isList(side)) return true;
  const rows = rowsOf(linesOf(side));
  const heights = rowsOf(linesOf(other)).map((row) => baselineOf(row[0]!));
  const level = rows.filter(([line]) =>
    heights.some((height) => Math.abs(height - baselineOf(line!)) < 0.15 * line!.size),
  );
  return level.length < 0.6 * rows.length;
}

const linesOf = (items: readonly Item[]): Line[] =>
  items.flatMap((item) => ('line' in item ? [item.line] : []));

const BULLET = /^[•▪●◦‣⁃∙·■*–—-]\s/u;
/** Fewer lines side by side are no columns. */
const MIN_LINES = 4;
const MAX_DEPTH = 6;
const MAX_CANDIDATES = 8;
/** In points: left edges this near belong to one column. */
const GRID = 4;
