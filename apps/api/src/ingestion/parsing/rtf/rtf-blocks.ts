import { cleanText, withoutBullet } from '../clean-text.js';
import type { Block, TextBlock } from '../extracted-document.js';
import type { GridCell } from '../table-grid.js';
import { textCell, textTable } from '../text-table.js';

/** Where the cells of a row end, from the left, in twentieths of a point, and which of them go on from above. */
export interface RowShape {
  isHeader: boolean;
  edges: { right: number; goesOn: boolean }[];
}

interface Cell {
  text: string;
  bold: boolean;
}

/** Puts paragraphs and cells, as they end one by one in RTF, together to blocks. */
export class RtfBlocks {
  readonly blocks: Block[] = [];
  private cells: Cell[] = [];
  private rows: { cells: Cell[]; shape: RowShape }[] = [];

  paragraph(text: string, kind: TextBlock['kind'], level?: number): void {
    this.endTable();
    this.push(text, kind, level);
  }

  cell(text: string, bold: boolean): void {
    this.cells.push({ text: cleanText(text), bold });
  }

  row(shape: RowShape): void {
    if (this.cells.length > 0) this.rows.push({ cells: this.cells, shape });
    this.cells = [];
  }

  endTable(): void {
    const rows = this.rows.splice(0);
    if (rows.length === 0) return;
    const { grid, columnCount } = gridOf(rows);
    const table = columnCount > 1 && rows.length > 1 ? textTable(grid, columnCount) : undefined;
    if (table) this.blocks.push(table);
    else for (const { text } of rows.flatMap(({ cells }) => cells)) this.push(text, 'paragraph');
  }

  private push(raw: string, kind: TextBlock['kind'], level?: number): void {
    const text = kind === 'list-item' ? withoutBullet(cleanText(raw)) : cleanText(raw);
    if (text === '') return;
    this.blocks.push({ kind, ...(level !== undefined && { level }), text, page: null, box: null });
  }
}

/** Rows need not have the same cells; their edges say over which columns each stands. */
function gridOf(rows: { cells: Cell[]; shape: RowShape }[]): {
  grid: GridCell<string>[][];
  columnCount: number;
} {
  const edges = [...new Set(rows.flatMap(({ shape }) => shape.edges.map(({ right }) => right)))].sort(
    (a, b) => a - b,
  );
  const columns = edges.filter((edge, index) => index === 0 || edge - edges[index - 1]! > MIN_COLUMN_TWIPS);
  const columnAt = (right: number) => {
    const found = columns.findIndex((edge) => right <= edge + MIN_COLUMN_TWIPS);
    return found === -1 ? columns.length - 1 : found;
  };
  const grid = rows.map(({ cells, shape }) => {
    let first = 0;
    return cells.flatMap(({ text, bold }, index) => {
      const edge = shape.edges[index];
      const last = edge ? Math.max(first, columnAt(edge.right)) : first;
      const cell = textCell(text, first, { last, bold, header: shape.isHeader });
      first = last + 1;
      return edge?.goesOn ? [] : [cell];
    });
  });
  return { grid, columnCount: Math.max(0, ...grid.flat().map((cell) => cell.last + 1)) };
}

/** A tenth of an inch: columns drawn by hand differ by less. */
const MIN_COLUMN_TWIPS = 144;
