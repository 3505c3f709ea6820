import type { Line } from './draft.js';
import { overlap, overlapX, type Rect, union } from './geometry.js';

/** Lines drawn on a page that may be borders of tables. */
export interface Borders {
  horizontal: Rect[];
  vertical: Rect[];
  /** Upper and lower edges of coloured rows, in their whole lengths. */
  edges: Rect[];
}

/** Sorts drawn lines by direction, without those that underline text. */
export function bordersOf(
  { rules, fills }: { rules: Rect[]; fills: Rect[] },
  lines: readonly Line[],
): Borders {
  const isHorizontal = (rule: Rect) => rule.x1 - rule.x0 > rule.y1 - rule.y0;
  const grounds = fills.filter(({ y0, y1 }) => y1 - y0 >= MIN_ROW && y1 - y0 <= MAX_ROW);
  // Word processors colour a cell, and each line in it once more.
  const rows = grounds.filter((ground) => !grounds.some((other) => surrounds(other, ground)));
  return {
    horizontal: rules.filter((rule) => isHorizontal(rule) && !lines.some((line) => underlines(rule, line))),
    vertical: rules.filter((rule) => !isHorizontal(rule)),
    edges: joinCollinear(
      rows.flatMap((row) => [
        { ...row, y1: row.y0 },
        { ...row, y0: row.y1 },
      ]),
    ),
  };
}

const surrounds = (outer: Rect, inner: Rect) =>
  outer.y1 - outer.y0 > inner.y1 - inner.y0 + SAME_PLACE &&
  outer.y0 < inner.y0 + SAME_PLACE &&
  outer.y1 > inner.y1 - SAME_PLACE &&
  overlapX(outer, inner) > 0.9 * (inner.x1 - inner.x0);

/** An underline is no longer than its words and hangs at their baseline. */
function underlines(rule: Rect, { rect, size }: Line): boolean {
  const below = middleY(rule) - (rect.y1 - 0.22 * size);
  return below > -0.1 * size && below < 0.3 * size && rule.x0 > rect.x0 - 2 && rule.x1 < rect.x1 + 2;
}

/** Borders are often drawn cell by cell; these are their whole lengths, from top to bottom. */
export function joinCollinear(horizontals: readonly Rect[]): Rect[] {
  const joined: Rect[] = [];
  for (const rule of [...horizontals].sort((a, b) => middleY(a) - middleY(b) || a.x0 - b.x0)) {
    const same = joined.find(
      (other) => Math.abs(middleY(other) - middleY(rule)) < SAME_PLACE && overlapX(other, rule) > -SAME_PLACE,
    );
    if (same) Object.assign(same, union([same, rule]));
    else joined.push({ ...rule });
  }
  return joined.filter((rule) => rule.x1 - rule.x0 >= MIN_WIDTH);
}

/** Places of vertical borders within an area that are drawn along at least that share of its height. */
export function verticalDividers(verticals: readonly Rect[], area: Rect, minShare = 0.4): number[] {
  const lengths = new Map<number, number>();
  for (const rule of verticals) {
    const x = middleX(rule);
    const shared = overlap(rule.y0, rule.y1, area.y0, area.y1);
    if (shared <= 0 || x < area.x0 + EDGE || x > area.x1 - EDGE) continue;
    const near = [...lengths.keys()].find((other) => Math.abs(other - x) < SAME_PLACE) ?? x;
    lengths.set(near, (lengths.get(near) ?? 0) + shared);
  }
  return [...lengths].filter(([, length]) => length > minShare * (area.y1 - area.y0)).map(([x]) => x);
}

/** Whether a vertical border stands at `x` along most of the way from `top` to `bottom`. */
export function isDivided(
  verticals: readonly Rect[],
  x: number,
  { top, bottom }: { top: number; bottom: number },
): boolean {
  const drawn = verticals
    .filter((rule) => Math.abs(middleX(rule) - x) < SAME_PLACE)
    .reduce((sum, rule) => sum + Math.max(0, overlap(rule.y0, rule.y1, top, bottom)), 0);
  return drawn > 0.5 * (bottom - top);
}

/** Heights that differ visibly, from top to bottom. */
export function distinctHeights(rules: readonly Rect[]): number[] {
  const ys = rules.map(middleY).sort((a, b) => a - b);
  return ys.filter((y, i) => i === 0 || y - ys[i - 1]! > SAME_PLACE);
}

export const middleY = (rect: Rect) => (rect.y0 + rect.y1) / 2;
export const middleX = (rect: Rect) => (rect.x0 + rect.x1) / 2;

/** In points. */
export const SAME_PLACE = 2.5;
const MIN_WIDTH = 40;
const EDGE = 4;
const MIN_ROW = 8;
const MAX_ROW = 200;
