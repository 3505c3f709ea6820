/** The parts a booklet is written in. Text may hold `**bold**`; nothing else is markup. */
export interface Chapter {
  title: string;
  /** Two columns suit long lists of short entries; tables need one. */
  columns: 1 | 2;
  blocks: Block[];
}

export type Block =
  | { kind: 'heading' | 'subheading' | 'paragraph' | 'smallprint'; text: string }
  | { kind: 'list'; items: string[]; ordered: boolean }
  | { kind: 'note'; title: string; text: string }
  | TableContent;

export interface TableContent {
  kind: 'table';
  caption: string;
  columns: TableColumn[];
  /** A row with one cell is a section title that spans the table; the first cell of the others is their header. */
  rows: string[][];
}

export interface TableColumn {
  title: string;
  /** Neighbours with the same group stand under one spanning header. */
  group?: string;
  /** Relative to the other columns. */
  width: number;
}

export const h2 = (text: string): Block => ({ kind: 'heading', text });
export const h3 = (text: string): Block => ({ kind: 'subheading', text });
export const p = (text: string): Block => ({ kind: 'paragraph', text });
export const small = (text: string): Block => ({ kind: 'smallprint', text });
export const ul = (...items: string[]): Block => ({ kind: 'list', items, ordered: false });
export const ol = (...items: string[]): Block => ({ kind: 'list', items, ordered: true });
export const note = (title: string, text: string): Block => ({ kind: 'note', title, text });
export const table = (caption: string, columns: TableColumn[], rows: string[][]): Block => ({
  kind: 'table',
  caption,
  columns,
  rows,
});
