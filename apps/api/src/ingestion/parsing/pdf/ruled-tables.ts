import {
  type Borders,
  bordersOf,
  distinctHeights,
  isDivided,
  joinCollinear,
  middleX,
  middleY,
  verticalDividers,
} from './borders.js';
import { readBorderedGrid } from './bordered-grid.js';
import type { Line } from './draft.js';
import type { Frame } from './frame.js';
import { median, overlapX, type Rect, union } from './geometry.js';
import { rowsOf } from './segments.js';
import { gapsOf, isItem, markHeaders, type Range, rangesBetween } from './table-columns.js';
import { splitByText } from './text-rows.js';
import type { SketchCell, TableSketch } from './table-sketch.js';

export interface FoundTable {
  table: TableSketch;
  rect: Rect;
  /** The lines that the table is made of. */
  lines: Line[];
}

/** Tables that have borders: horizontal lines above and below their rows, with or without vertical ones. */
export function findRuledTables(lines: readonly Line[], frame: Frame): FoundTable[] {
  const borders = bordersOf(frame, lines);
  const tables: FoundTable[] = [];
  let free = [...lines];
  for (const zone of zonesOf(joinCollinear([...borders.horizontal, ...borders.edges]))) {
    for (const part of dividedParts(zone, free, borders)) {
      const found = readZone(part, free, borders, frame);
      if (!found) continue;
      tables.push(found);
      free = free.filter((line) => !found.lines.includes(line));
    }
  }
  return tables;
}

/**
 * Borders that stand above each other and are about as wide belong to one zone. Narrow zones come first: tables side
 * by side in a page-wide frame. But where a wider border crosses a narrow zone, it is only a part of that table.
 */
function zonesOf(horizontals: readonly Rect[]): Rect[][] {
  const zones: Rect[][] = [];
  for (const rule of horizontals) {
    const zone = zones.find((other) => {
      const around = union(other);
      const wider = Math.max(around.x1 - around.x0, rule.x1 - rule.x0);
      return overlapX(around, rule) > 0.6 * wider && rule.y0 - around.y1 < MAX_ROW_HEIGHT;
    });
    if (zone) zone.push(rule);
    else zones.push([rule]);
  }
  const widthOf = (zone: Rect[]) => union(zone).x1 - union(zone).x0;
  const isPart = (zone: Rect[]) =>
    zones.some((other) => other !== zone && widthOf(other) > widthOf(zone) && crosses(other, union(zone)));
  return zones.filter((zone) => zone.length > 1 && !isPart(zone)).sort((a, b) => widthOf(a) - widthOf(b));
}

const crosses = (zone: readonly Rect[], { x0, x1, y0, y1 }: Rect) =>
  zone.some(
    (rule) => middleY(rule) > y0 + 2 && middleY(rule) < y1 - 2 && rule.x0 < x0 + 2 && rule.x1 > x1 - 2,
  );

/**
 * The stretches of a zone that are tables. Prose or a title between two borders, below a page's head or between two
 * tables, ends one; titles and notes in a frame of their own above and below are left out.
 */
function dividedParts(zone: Rect[], lines: readonly Line[], borders: Borders): Rect[][] {
  const { x0, x1 } = union(zone);
  const dividers = verticalDividers(borders.vertical, union(zone), 0.1);
  const size = median(linesIn(union(zone), lines).map((line) => line.size));
  const parts: Rect[][] = [[zone[0]!]];
  const divided: boolean[][] = [[]];
  for (let i = 1; i < zone.length; i += 1) {
    const [top, bottom] = [middleY(zone[i - 1]!), middleY(zone[i]!)];
    const rows = rowsOf(linesIn({ x0, x1, y0: top, y1: bottom }, lines));
    const hasWall = dividers.some((x) => isDivided(borders.vertical, x, { top, bottom }));
    // Where other rows have walls, many lines without one are no row, though pieces of them stand apart.
    const isOpen = dividers.length === 0 || rows.length < PROSE_ROWS;
    const isRow = hasWall || rows.length === 0 || (isOpen && rows.some((row) => row.length > 1));
    const isText = rows.length >= PROSE_ROWS || rows.flat().some((line) => line.size > 1.08 * size);
    if (isText && !isRow) {
      parts.push([zone[i]!]);
      divided.push([]);
    } else {
      parts.at(-1)!.push(zone[i]!);
      divided.at(-1)!.push(isRow && rows.length > 0);
    }
  }
  return parts.map((part, i) => {
    const isRow = divided[i]!;
    // Without vertical borders, one divided stretch may be anything between two frames.
    if (dividers.length === 0 && isRow.filter(Boolean).length < 2) return [];
    const first = Math.max(0, isRow.indexOf(true));
    return part.slice(first, isRow.lastIndexOf(true) + 2);
  });
}

function linesIn({ x0, x1, y0, y1 }: Rect, lines: readonly Line[]): Line[] {
  return lines.filter(
    ({ rect }) =>
      middleY(rect) > y0 && middleY(rect) < y1 && middleX(rect) > x0 - 2 && middleX(rect) < x1 + 2,
  );
}

function readZone(
  zone: Rect[],
  lines: readonly Line[],
  borders: Borders,
  frame: Frame,
): FoundTable | undefined {
  if (zone.length < 2) return undefined;
  const rect = union(zone);
  const inside = linesIn(rect, lines);
  if (inside.length < MIN_PIECES) return undefined;
  const dividers = verticalDividers(borders.vertical, rect);
  const columns = rangesBetween(dividers.length > 0 ? dividers : gapsOf(inside), rect);
  if (columns.length < 2) return undefined;
  const width = rect.x1 - rect.x0;
  const isWithin = (rule: Rect) => rule.y0 > rect.y0 - 2 && rule.y1 < rect.y1 + 2 && overlapX(rule, rect) > 0;
  const rows = readRows(inside, columns, {
    horizontal: [
      ...borders.horizontal.filter(isWithin),
      // Cells and even words have grounds of their own; only those of whole rows are borders.
      ...borders.edges.filter((edge) => isWithin(edge) && overlapX(edge, rect) > 0.6 * width),
    ],
    vertical: dividers.length > 0 ? borders.vertical : [],
    edges: [],
  });
  if (rows.length < 2 || !isTable(rows)) return undefined;
  markHeaders(rows, frame);
  return { table: { kind: 'table-sketch', caption: null, rows }, rect, lines: inside };
}

/**
 * Frames of form fields and drawings make grids, too, but hardly any row of theirs has two cells with text; and lists
 * side by side in a frame are lists.
 */
function isTable(rows: SketchCell[][]): boolean {
  const isFilled = (cell: SketchCell) => cell.paragraphs.length > 0;
  const shared = rows.filter((row) => row.filter(isFilled).length > 1);
  const filled = rows.flat().filter(isFilled);
  return shared.length * 2 >= rows.length && filled.filter(isItem).length * 2 <= filled.length;
}

function readRows(lines: readonly Line[], columns: readonly Range[], borders: Borders): SketchCell[][] {
  const heights = distinctHeights(borders.horizontal);
  if (isSparse(heights, lines)) return splitByText(lines, columns, heights);
  return readBorderedGrid(lines, columns, heights, borders);
}

/** Only head and foot are ruled, and several rows stand between. */
function isSparse(heights: readonly number[], lines: readonly Line[]): boolean {
  const bands = heights
    .slice(1)
    .map((y, i) => rowsOf(lines.filter(({ rect }) => middleY(rect) > heights[i]! && middleY(rect) < y)))
    .filter((rows) => rows.length > 0);
  const tall = bands.filter((rows) => rows.filter((row) => row.length > 1).length >= 3);
  return bands.length <= 3 && tall.length > 0;
}

/** In points: a taller row would hold half a page. */
const MAX_ROW_HEIGHT = 320;
/** So many lines between two borders, none of them divided, are a text rather than a row. */
const PROSE_ROWS = 3;
const MIN_PIECES = 4;
