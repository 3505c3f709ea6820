import type { TableBlock } from './extracted-document.js';
import { type GridCell, readGrid } from './table-grid.js';

/** A table of texts with its labels and headers; undefined when there is nothing below its header. */
export function textTable(
  rows: GridCell<string>[][],
  columnCount: number,
  { caption = null, page = null }: { caption?: string | null; page?: number | null } = {},
): TableBlock | undefined {
  const read = readGrid(rows, columnCount);
  if (read.length === 0) return undefined;
  return {
    kind: 'table',
    caption,
    rows: read.map(({ group, label, cells }) => ({
      group: group.join(' > ') || null,
      label: label ?? '',
      cells: cells.map(({ header, content }) => ({ header: header.join(' > '), text: content, box: null })),
      page,
      box: null,
    })),
    page,
    box: null,
  };
}

export function textCell(
  text: string,
  first: number,
  { last = first, header = false, bold = false }: { last?: number; header?: boolean; bold?: boolean } = {},
): GridCell<string> {
  return { first, last, header, bold, text, content: text };
}
