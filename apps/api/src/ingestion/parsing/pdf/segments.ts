import type { Line } from './draft.js';
import type { Span } from './frame.js';
import { overlapY, type Rect } from './geometry.js';
import { toLine } from './lines.js';

/**
 * Pieces of lines: spans on one baseline with neither a wide gap nor a border between them. A line of prose is one
 * piece, a row of a table one for each cell.
 */
export function segmentsOf(spans: readonly Span[], rules: readonly Rect[]): Line[] {
  const rows = baselinesOf(spans);
  const cuts = {
    borders: rules.filter((rule) => rule.y1 - rule.y0 > rule.x1 - rule.x0),
    edges: leftEdges(rows),
  };
  const pieces = rows.flatMap((row) => cutRow(row, cuts));
  return joinRaised(pieces)
    .map(toLine)
    .filter((line) => line.text !== '');
}

/** Lines that stand side by side, each list from left to right, from top to bottom. */
export function rowsOf(lines: readonly Line[]): Line[][] {
  const rows: Line[][] = [];
  for (const line of [...lines].sort((a, b) => baselineOf(a) - baselineOf(b))) {
    const row = rows.at(-1);
    if (row && baselineOf(line) - baselineOf(row[0]!) < 0.35 * Math.min(line.size, row[0]!.size))
      row.push(line);
    else rows.push([line]);
  }
  for (const row of rows) row.sort((a, b) => a.rect.x0 - b.rect.x0);
  return rows;
}

export const baselineOf = (line: Line) => line.rect.y1 - 0.22 * line.size;

function baselinesOf(spans: readonly Span[]): Span[][] {
  const rows: Span[][] = [];
  for (const span of [...spans].sort((a, b) => a.baseline - b.baseline)) {
    const row = rows.at(-1);
    if (row && span.baseline - row[0]!.baseline < 0.25 * Math.min(span.size, row[0]!.size)) row.push(span);
    else rows.push([span]);
  }
  return rows.map((row) => withoutDoubles(row.sort((a, b) => a.rect.x0 - b.rect.x0)));
}

/** Some programs make bold letters by drawing them twice, a little apart. */
function withoutDoubles(row: Span[]): Span[] {
  return row.filter((span, i) => {
    const before = row[i - 1];
    return !(before && before.text === span.text && span.rect.x0 - before.rect.x0 < 0.1 * span.size);
  });
}

interface Cuts {
  /** Vertical lines. */
  borders: readonly Rect[];
  /** Where columns begin, in steps of `EDGE_STEP` points. */
  edges: ReadonlySet<number>;
}

/**
 * Where many lines go on behind a gap, a column begins: columns may stand closer together than words in a line that
 * is stretched to its margins.
 */
function leftEdges(rows: readonly Span[][]): Set<number> {
  const counts = new Map<number, number>();
  for (const row of rows) {
    for (let i = 1; i < row.length; i += 1) {
      if (gapBetween(row[i - 1]!, row[i]!) < COLUMN_GAP) continue;
      const step = Math.round(row[i]!.rect.x0 / EDGE_STEP);
      for (const near of [step - 1, step, step + 1]) counts.set(near, (counts.get(near) ?? 0) + 1);
    }
  }
  return new Set([...counts].filter(([, count]) => count >= MIN_EDGE_LINES).map(([step]) => step));
}

function cutRow(row: Span[], cuts: Cuts): Span[][] {
  const pieces: Span[][] = [];
  for (const span of row) {
    const piece = pieces.at(-1);
    const before = piece?.at(-1);
    if (piece && before && !isApart(before, span, cuts, piece.length === 1)) piece.push(span);
    else pieces.push([span]);
  }
  return pieces;
}

function isApart(left: Span, right: Span, { borders, edges }: Cuts, leftBegins: boolean): boolean {
  const gap = gapBetween(left, right);
  // A bullet or number stands well before its text and yet belongs to it.
  if (leftBegins && MARKER.test(left.text.trim())) return gap > MARKER_GAP;
  if (gap > WORD_GAP) return true;
  if (gap > COLUMN_GAP && edges.has(Math.round(right.rect.x0 / EDGE_STEP))) return true;
  const middle = (left.rect.y0 + left.rect.y1) / 2;
  return borders.some(
    ({ x0, y0, x1, y1 }) => y0 <= middle && middle <= y1 && x0 > left.rect.x1 - 2 && x1 < right.rect.x0 + 2,
  );
}

/** In font sizes. */
const gapBetween = (left: Span, right: Span) =>
  (right.rect.x0 - left.rect.x1) / Math.max(left.size, right.size);

/** Raised or lowered small print, such as the number of a footnote, belongs behind the span that it touches. */
function joinRaised(pieces: Span[][]): Span[][] {
  const isSmall = (piece: Span[]) => piece.map((span) => span.text.trim()).join('').length <= 4;
  const joined = new Set<Span[]>();
  for (const piece of pieces.filter(isSmall)) {
    const [small] = piece as [Span];
    for (const host of pieces) {
      if (host === piece || joined.has(host)) continue;
      const at = host.findIndex((span) => touches(span, small));
      if (at === -1) continue;
      host.splice(at + 1, 0, ...piece);
      joined.add(piece);
      break;
    }
  }
  return pieces.filter((piece) => !joined.has(piece));
}

const touches = (span: Span, small: Span) =>
  small.size < 0.85 * span.size &&
  Math.abs(small.rect.x0 - span.rect.x1) < 0.25 * span.size &&
  overlapY(small.rect, span.rect) > 0.3 * small.size;

/** In font sizes. Words of a stretched line stand apart by less than the first, columns by more than the second. */
const WORD_GAP = 1.1;
const COLUMN_GAP = 0.5;
const MARKER_GAP = 4;
/** In points. */
const EDGE_STEP = 1.5;
const MIN_EDGE_LINES = 5;
const MARKER = /^(?:[•▪●◦‣⁃∙·■□▢➢➤✓✔*–—-]|\(?(?:\d{1,3}|[a-z]|[ivx]{1,4})[.)])$/i;
