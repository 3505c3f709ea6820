import { findAlignedTables } from './aligned-tables.js';
import { withoutContents } from './contents-page.js';
import type { Line, TextDraft } from './draft.js';
import type { Frame, Span } from './frame.js';
import { isAtEdge } from './furniture.js';
import { toJoinedLine } from './lines.js';
import { paragraphsOf } from './paragraphs.js';
import { type Item, regionsOf } from './regions.js';
import { findRuledTables } from './ruled-tables.js';
import { rowsOf, segmentsOf } from './segments.js';
import type { TableSketch } from './table-sketch.js';

/** Blocks of a page without structure tree, or of the text that its tree does not mention, by geometry alone. */
export function readPlainFrame(
  frame: Frame,
  spans: readonly Span[] = frame.spans,
): (TextDraft | TableSketch)[] {
  const lines = withoutContents(segmentsOf(spans, frame.rules));
  const tables = findRuledTables(lines, frame);
  const inTables = new Set(tables.flatMap((table) => table.lines));
  const items: Item[] = [
    ...lines.filter((line) => !inTables.has(line)).map((line) => ({ line, rect: line.rect })),
    ...tables.map(({ table, rect }) => ({ table, rect })),
  ];
  return regionsOf(items).flatMap((region) => readRegion(region, frame));
}

/** Tables and text of one column, from top to bottom. */
function readRegion(items: readonly Item[], frame: Frame): (TextDraft | TableSketch)[] {
  const lines = items.flatMap((item) => ('line' in item ? [item.line] : []));
  const aligned = findAlignedTables(lines, frame);
  const inTables = new Set(aligned.flatMap((table) => table.lines));
  const tables = [...aligned, ...items.flatMap((item) => ('table' in item ? [item] : []))];
  const rest = rowsOf(lines.filter((line) => !inTables.has(line))).flatMap(joinRow);
  const blocks: (TextDraft | TableSketch)[] = [];
  let at = 0;
  for (const { table, rect } of tables.sort((a, b) => a.rect.y0 - b.rect.y0)) {
    const above = countAbove(rest, rect.y0, at);
    blocks.push(...paragraphsOf(rest.slice(at, above)), table);
    at = above;
  }
  return [...blocks, ...paragraphsOf(rest.slice(at))];
}

/** At the edges of a page, what stands side by side is mostly not one line: a running head and a page number. */
function joinRow(row: Line[]): Line[] {
  return row.every(isAtEdge) ? row : [toJoinedLine(row)];
}

function countAbove(lines: readonly Line[], y: number, from: number): number {
  let at = from;
  while (at < lines.length && lines[at]!.rect.y0 < y) at += 1;
  return at;
}
