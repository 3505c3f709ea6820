import type { TableColumn, TableContent } from '../booklet/content.js';
import type { PageFlow, Tag } from './page-flow.js';
import { breakLines, drawLines, type Line, type TextStyle } from './rich-text.js';
import { PALE, RULE, styles, TEAL } from './theme.js';

const PADDING = { x: 6, y: 3.6 } as const;
/** A table up to this height, in points, is not split over two pages. */
const KEPT_WHOLE = 230;

interface Cell {
  x: number;
  width: number;
  lines: Line[];
  style: TextStyle;
  /** `TH` or `TD` with its attributes for assistive software. */
  type: 'TH' | 'TD';
  attributes?: Record<string, unknown>;
  /** Of the header's rows: how many this cell spans. */
  rows?: number;
}

/** Draws a captioned table with one or two header rows, repeated (undecorated for readers) on every page. */
export function drawTable(flow: PageFlow, content: TableContent, parent: Tag): void {
  const header = headerRows(flow, content.columns);
  const headerHeight = header.reduce((sum, row) => sum + heightOf(row), 0);
  const rows = content.rows.map((cells) => bodyRow(flow, content.columns, cells));
  flow.leaveSpace(4);
  const top = styles.caption.leading + headerHeight + 8;
  const whole = top + rows.reduce((sum, row) => sum + heightOf(row), 0);
  flow.need(whole <= KEPT_WHOLE ? whole : top + heightOf(rows[0] ?? []) + heightOf(rows[1] ?? []));

  const table = flow.tag('Table', parent);
  const caption = breakLines(flow.doc, content.caption, styles.caption, flow.width);
  flow.tag('Caption', table, () => drawLines(flow.doc, caption, styles.caption, flow.x, flow.y));
  flow.y += caption.length * styles.caption.leading + 3;
  drawHeader(flow, header, table);

  rows.forEach((row, index) => {
    const isTitle = row.length === 1;
    const height = heightOf(row);
    const needed = height + (isTitle ? heightOf(rows[index + 1] ?? []) : 0);
    if (needed > flow.room) {
      flow.advance();
      drawHeader(flow, header);
    }
    drawBackground(flow, height, isTitle);
    drawRow(flow, row, height, flow.tag('TR', table));
    flow.y += height;
  });
  flow.y += 12;
}

/** With a table the header is part of it; without one it is the repetition on a further page. */
function drawHeader(flow: PageFlow, header: Cell[][], table?: Tag): void {
  const heights = header.map((row) => heightOf(row));
  const total = heights.reduce((sum, height) => sum + height, 0);
  flow.artifact(() => flow.doc.rect(flow.x, flow.y, flow.width, total).fill(TEAL));
  header.forEach((row, index) => {
    const height = heights[index] ?? 0;
    const spans = row.filter((cell) => cell.attributes?.ColSpan);
    flow.artifact(() => spans.forEach((cell) => underline(flow, cell, height)));
    const below = total - heights.slice(0, index).reduce((sum, above) => sum + above, 0);
    if (table) drawRow(flow, row, height, flow.tag('TR', table), below);
    else flow.artifact(() => row.forEach((cell) => drawCell(flow, cell, cell.rows === 2 ? below : height)));
    flow.y += height;
  });
}

/** Shows which columns stand under a common title. */
function underline({ doc, x, y }: PageFlow, { x: left, width }: Cell, height: number): void {
  const from = x + left + PADDING.x;
  doc.moveTo(from, y + height).lineTo(from + width - 2 * PADDING.x, y + height);
  doc.lineWidth(0.5).strokeColor(RULE).stroke();
}

function drawRow(flow: PageFlow, row: Cell[], height: number, tag: Tag, spanHeight = height): void {
  for (const cell of row) {
    const element = flow.tag(cell.type, tag, () =>
      drawCell(flow, cell, cell.rows === 2 ? spanHeight : height),
    );
    if (cell.attributes) setAttributes(element, cell.attributes);
  }
}

/** Header cells stand on the lower edge of what they span, others on the upper edge. */
function drawCell(flow: PageFlow, cell: Cell, height: number): void {
  const slack = height - cell.lines.length * cell.style.leading - 2 * PADDING.y;
  const top = flow.y + PADDING.y + (cell.rows === 2 ? slack : 0) + 1;
  drawLines(flow.doc, cell.lines, cell.style, flow.x + cell.x + PADDING.x, top);
}

function drawBackground(flow: PageFlow, height: number, isTitle: boolean): void {
  const { doc, x, y, width } = flow;
  flow.artifact(() => {
    if (isTitle) doc.rect(x, y, width, height).fill(PALE);
    doc
      .moveTo(x, y + height)
      .lineTo(x + width, y + height)
      .lineWidth(0.5)
      .strokeColor(RULE)
      .stroke();
  });
}

function bodyRow(flow: PageFlow, columns: TableColumn[], texts: string[]): Cell[] {
  if (texts.length === 1) {
    const attributes = { O: 'Table', ColSpan: columns.length, Scope: 'Row' };
    return [cell(flow, columns, 0, columns.length, texts[0] ?? '', styles.rowHead, 'TH', attributes)];
  }
  return texts.map((text, index) =>
    index === 0
      ? cell(flow, columns, 0, 1, text, styles.rowHead, 'TH', { O: 'Table', Scope: 'Row' })
      : cell(flow, columns, index, 1, text, styles.cell, 'TD'),
  );
}

/** One row of titles, or two when some columns stand under a common one. */
function headerRows(flow: PageFlow, columns: TableColumn[]): Cell[][] {
  const grouped = columns.some((column) => column.group);
  const upper: Cell[] = [];
  const lower: Cell[] = [];
  for (let index = 0; index < columns.length; index += 1) {
    const { title, group } = columns[index]!;
    const titleCell = cell(flow, columns, index, 1, title, styles.columnHead, 'TH', scope({}));
    if (!group) {
      const spanning = { ...titleCell, rows: 2, attributes: scope({ RowSpan: 2 }) };
      upper.push(grouped ? spanning : titleCell);
      continue;
    }
    lower.push(titleCell);
    if (columns[index - 1]?.group === group) continue;
    const span = columns.slice(index).findIndex((other) => other.group !== group);
    const count = span === -1 ? columns.length - index : span;
    upper.push(cell(flow, columns, index, count, group, styles.columnHead, 'TH', scope({ ColSpan: count })));
  }
  return grouped ? [upper, lower] : [upper];
}

const scope = (more: Record<string, unknown>) => ({ O: 'Table', Scope: 'Column', ...more });

function cell(
  flow: PageFlow,
  columns: TableColumn[],
  first: number,
  count: number,
  text: string,
  style: TextStyle,
  type: 'TH' | 'TD',
  attributes?: Record<string, unknown>,
): Cell {
  const total = columns.reduce((sum, column) => sum + column.width, 0);
  const widthOf = (from: number, to: number) =>
    (columns.slice(from, to).reduce((sum, column) => sum + column.width, 0) / total) * flow.width;
  const width = widthOf(first, first + count);
  const lines = breakLines(flow.doc, text, style, width - 2 * PADDING.x);
  return { x: widthOf(0, first), width, lines, style, type, attributes };
}

/** Cells that span two header rows do not stretch the first of them. */
function heightOf(row: Cell[]): number {
  const own = row.filter((cell) => cell.rows !== 2);
  return Math.max(0, ...own.map((cell) => cell.lines.length * cell.style.leading)) + 2 * PADDING.y;
}

/** pdfkit has no option for table attributes on an element, so they go into its dictionary. */
function setAttributes(element: Tag, attributes: Record<string, unknown>): void {
  const { dictionary } = element as unknown as { dictionary: { data: Record<string, unknown> } };
  dictionary.data.A = attributes;
}
