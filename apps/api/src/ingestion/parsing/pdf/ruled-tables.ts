import type { Line } from './draft.js';
import type { Frame } from './frame.js';
import { overlap, overlapX, type Rect, union } from './geometry.js';
import { rowsOf } from './segments.js';
import { splitByText } from './text-rows.js';
import { cellOf, gapsOf, markHeaders, type Range, startsIn } from './table-columns.js';
import type { SketchCell, TableSketch } from './table-sketch.js';

export interface FoundTable {
  table: TableSketch;
  rect: Rect;
  /** The lines that the table is made of. */
  lines: Line[];
}

/** Tables that have borders: horizontal lines above and below their rows, with or without vertical ones. */
export function findRuledTables(lines: readonly Line[], frame: Frame): FoundTable[] {
  const horizontals = joinCollinear(frame.rules.filter(isHorizontal));
  const tables: FoundTable[] = [];
  const taken = new Set<Line>();
  for (const zone of zonesOf(horizontals)) {
    for (const part of withoutProse(zone, lines, frame)) {
      const found = readZone(
        part,
        lines.filter((line) => !taken.has(line)),
        frame,
      );
      if (!found) continue;
      tables.push(found);
      for (const line of found.lines) taken.add(line);
    }
  }
  return tables;
}

const isHorizontal = (rule: Rect) => rule.x1 - rule.x0 > rule.y1 - rule.y0;
const middleY = (rect: Rect) => (rect.y0 + rect.y1) / 2;
const middleX = (rect: Rect) => (rect.x0 + rect.x1) / 2;

/** Borders are often drawn cell by cell. */
function joinCollinear(rules: readonly Rect[]): Rect[] {
  const joined: Rect[] = [];
  for (const rule of [...rules].sort((a, b) => middleY(a) - middleY(b) || a.x0 - b.x0)) {
    const same = joined.find(
      (other) => Math.abs(middleY(other) - middleY(rule)) < SAME_LINE && overlapX(other, rule) > -SAME_LINE,
    );
    if (same) Object.assign(same, union([same, rule]));
    else joined.push({ ...rule });
  }
  return joined.filter((rule) => rule.x1 - rule.x0 >= MIN_WIDTH);
}

/** Borders that stand above each other and are about as wide belong to one zone. */
function zonesOf(horizontals: readonly Rect[]): Rect[][] {
  const zones: Rect[][] = [];
  for (const rule of horizontals) {
    const zone = zones.find((other) => {
      const around = union(other);
      const shared = overlapX(around, rule);
      return (
        shared > 0.6 * Math.min(around.x1 - around.x0, rule.x1 - rule.x0) &&
        rule.y0 - around.y1 < MAX_ROW_HEIGHT
      );
    });
    if (zone) zone.push(rule);
    else zones.push([rule]);
  }
  return zones.filter((zone) => zone.length > 1);
}

/** Cuts a zone where prose stands between two borders: below a page's head, or between two tables. */
function withoutProse(zone: Rect[], lines: readonly Line[], frame: Frame): Rect[][] {
  const { x0, x1 } = union(zone);
  const parts: Rect[][] = [[zone[0]!]];
  for (let i = 1; i < zone.length; i += 1) {
    const [above, below] = [zone[i - 1]!, zone[i]!];
    const between = lines.filter(
      ({ rect }) =>
        middleY(rect) > middleY(above) &&
        middleY(rect) < middleY(below) &&
        overlap(rect.x0, rect.x1, x0, x1) > 0,
    );
    const rows = rowsOf(between);
    const divided =
      rows.some((row) => row.length > 1) || hasVertical(frame, { x0, x1, y0: above.y1, y1: below.y0 });
    if (rows.length >= PROSE_ROWS && !divided) parts.push([below]);
    else parts.at(-1)!.push(below);
  }
  return parts.filter((part) => part.length > 1);
}

function hasVertical({ rules }: Frame, area: Rect): boolean {
  return rules.some(
    (rule) =>
      !isHorizontal(rule) &&
      rule.x0 > area.x0 + 10 &&
      rule.x1 < area.x1 - 10 &&
      overlap(rule.y0, rule.y1, area.y0, area.y1) > 0.5 * (area.y1 - area.y0),
  );
}

function readZone(borders: Rect[], lines: readonly Line[], frame: Frame): FoundTable | undefined {
  const rect = union(borders);
  const inside = lines.filter(
    (line) =>
      middleY(line.rect) > rect.y0 &&
      middleY(line.rect) < rect.y1 &&
      middleX(line.rect) > rect.x0 - 2 &&
      middleX(line.rect) < rect.x1 + 2,
  );
  if (inside.length < 4) return undefined;
  const columns = columnsOf(inside, rect, frame);
  if (columns.length < 2) return undefined;
  const rows = isSparse(borders, inside)
    ? splitByText(inside, columns, borders.map(middleY))
    : splitByBorders(inside, columns, { rect, frame });
  if (rows.length < 2) return undefined;
  markHeaders(rows, frame);
  return { table: { kind: 'table-sketch', caption: null, rows }, rect, lines: inside };
}

/** By vertical borders where there are any, else by the gaps between the pieces of lines. */
function columnsOf(lines: readonly Line[], area: Rect, { rules }: Frame): Range[] {
  const height = area.y1 - area.y0;
  const byX = new Map<number, number>();
  for (const rule of rules) {
    if (isHorizontal(rule) || rule.x0 < area.x0 + 4 || rule.x1 > area.x1 - 4) continue;
    const shared = overlap(rule.y0, rule.y1, area.y0, area.y1);
    const near = [...byX.keys()].find((x) => Math.abs(x - middleX(rule)) < SAME_LINE) ?? middleX(rule);
    if (shared > 0) byX.set(near, (byX.get(near) ?? 0) + shared);
  }
  const borders = [...byX].filter(([, length]) => length > 0.4 * height).map(([x]) => x);
  return rangesBetween(borders.length > 0 ? borders : gapsOf(lines), area);
}

function rangesBetween(borders: readonly number[], { x0, x1 }: Rect): Range[] {
  const edges = [x0, ...[...borders].sort((a, b) => a - b), x1];
  return edges.slice(1).map((to, i) => ({ from: edges[i]!, to }));
}

/** Only head and foot are ruled, and several rows stand between. */
function isSparse(borders: readonly Rect[], lines: readonly Line[]): boolean {
  const ys = borders.map(middleY);
  const bands = ys
    .slice(1)
    .map((y, i) => rowsOf(lines.filter(({ rect }) => middleY(rect) > ys[i]! && middleY(rect) < y)));
  const filled = bands.filter((rows) => rows.length > 0);
  const tall = filled.filter((rows) => rows.filter((row) => row.length > 1).length >= 3);
  return filled.length <= 3 && tall.length > 0;
}

/** Each column has its own borders: where one is missing, a cell stands for several rows. */
function splitByBorders(
  lines: readonly Line[],
  columns: readonly Range[],
  { rect, frame }: { rect: Rect; frame: Frame },
): SketchCell[][] {
  const horizontals = frame.rules.filter(
    (rule) => isHorizontal(rule) && rule.y0 > rect.y0 - 2 && rule.y1 < rect.y1 + 2,
  );
  const bordersOf = (column: Range) =>
    distinct(
      horizontals
        .filter((rule) => overlap(rule.x0, rule.x1, column.from, column.to) > 0.6 * (column.to - column.from))
        .map(middleY),
    );
  const perColumn = columns.map(bordersOf);
  const all = distinct(perColumn.flat());
  const rows: SketchCell[][] = all.slice(1).map(() => []);
  const used = new Set<Line>();
  columns.forEach((column, c) => {
    const ys = perColumn[c]!;
    for (let i = 1; i < ys.length; i += 1) {
      const [top, bottom] = [ys[i - 1]!, ys[i]!];
      const first = all.indexOf(top);
      const inCell = lines.filter(
        (line) =>
          !used.has(line) &&
          middleY(line.rect) > top &&
          middleY(line.rect) < bottom &&
          startsIn(line, columns, c),
      );
      for (const line of inCell) used.add(line);
      rows[first]?.push(cellOf(inCell));
    }
  });
  return rows.filter((row) => row.some((cell) => cell.paragraphs.length > 0));
}

function distinct(ys: readonly number[]): number[] {
  return [...ys].sort((a, b) => a - b).filter((y, i, sorted) => i === 0 || y - sorted[i - 1]! > SAME_LINE);
}

/** In points. */
const SAME_LINE = 2.5;
const MIN_WIDTH = 40;
/** A taller row would hold half a page. */
const MAX_ROW_HEIGHT = 320;
/** So many lines between two borders, none of them divided, are a text rather than a row. */
const PROSE_ROWS = 3;
