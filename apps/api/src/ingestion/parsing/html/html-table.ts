import { cleanText } from '../clean-text.js';
import type { TableBlock } from '../extracted-document.js';
import type { GridCell } from '../table-grid.js';
import { textCell, textTable } from '../text-table.js';
import { type DomElement, textOf } from './dom.js';

const MAX_COLUMNS = 100;
const MAX_ROWS = 20_000;

/** A table of data with its headers; undefined for a table that only lays out the page. */
export function readHtmlTable(table: DomElement): TableBlock | undefined {
  const role = table.getAttribute('role');
  if (role === 'presentation' || role === 'none' || table.querySelector('table, h1, h2, h3'))
    return undefined;
  const { rows, columnCount } = gridOf(table);
  if (columnCount < 2 || columnCount > MAX_COLUMNS || rows.length < 2) return undefined;
  const caption = table.querySelector('caption');
  return textTable(rows, columnCount, { caption: (caption && cleanText(textOf(caption))) || null });
}

/** Places every cell in its columns, past those that a cell from above still covers. */
function gridOf(table: DomElement): { rows: GridCell<string>[][]; columnCount: number } {
  const rows: GridCell<string>[][] = [];
  /** For each column, how many further rows a cell from above covers. */
  const covered: number[] = [];
  for (const { row, inHead } of rowsOf(table).slice(0, MAX_ROWS)) {
    const placed: GridCell<string>[] = [];
    let column = 0;
    const skipCovered = () => {
      while ((covered[column] ?? 0) > 0) covered[column++]! -= 1;
    };
    for (const cell of row.children) {
      if (cell.localName !== 'td' && cell.localName !== 'th') continue;
      skipCovered();
      const { colspan, rowspan } = spansOf(cell);
      const text = cleanText(textOf(cell));
      const header = inHead || cell.localName === 'th';
      placed.push(textCell(text, column, { last: column + colspan - 1, header, bold: isBold(cell, text) }));
      for (let i = 0; i < colspan; i += 1) covered[column + i] = rowspan - 1;
      column += colspan;
    }
    while (column < covered.length) {
      skipCovered();
      if (column < covered.length) {
        // A row that just ends early leaves its last columns blank.
        placed.push(textCell('', column));
        column += 1;
      }
    }
    if (placed.some((cell) => cell.text !== '')) rows.push(placed);
  }
  return { rows, columnCount: covered.length };
}

function rowsOf(table: DomElement): { row: DomElement; inHead: boolean }[] {
  return [...table.children].flatMap((child) => {
    if (child.localName === 'tr') return [{ row: child, inHead: false }];
    if (!['thead', 'tbody', 'tfoot'].includes(child.localName)) return [];
    const inHead = child.localName === 'thead';
    return [...child.children].filter((row) => row.localName === 'tr').map((row) => ({ row, inHead }));
  });
}

function spansOf(cell: DomElement): { colspan: number; rowspan: number } {
  const span = (name: string) => Math.floor(Number(cell.getAttribute(name) ?? 1));
  const rowspan = span('rowspan');
  return {
    colspan: Math.min(MAX_COLUMNS, Math.max(1, span('colspan') || 1)),
    // Zero means down to the end of the table.
    rowspan: rowspan === 0 ? MAX_ROWS : Math.min(MAX_ROWS, Math.max(1, rowspan || 1)),
  };
}

function isBold(cell: DomElement, text: string): boolean {
  const strong = [...cell.querySelectorAll('b, strong')]
    .map((element) => cleanText(textOf(element)))
    .join(' ');
  return text !== '' && strong === text;
}
