import type { Box } from '../../../rag/index.js';
import type { Rect } from './geometry.js';

/** A line of text on a page. */
export interface Line {
  text: string;
  /** In points, in the upright frame that the text was read in: for comparing lines with each other. */
  rect: Rect;
  /** The same place in shares of the page: for people. */
  box: Box;
  page: number;
  /** Font size in points. */
  size: number;
  bold: boolean;
}

/** Blocks while a document is being read: text is still in lines, because hyphens at line ends are undecided. */
export type Draft = TextDraft | TableDraft;

export interface TextDraft {
  kind: 'heading' | 'paragraph' | 'list-item';
  level?: number;
  /** Of a heading that was found by its print. */
  style?: number;
  lines: Line[];
}

export interface TableDraft {
  kind: 'table';
  caption: string | null;
  rows: RowDraft[];
}

export interface RowDraft {
  /** Labels that this row shares with others, outermost first. */
  group: Line[][];
  label: Line[];
  cells: CellDraft[];
  /** The lines of this row alone, without those of cells shared with other rows: they say where the row is. */
  own: Line[];
}

export interface CellDraft {
  /** Column headers over the cell, outermost first. */
  header: Line[][];
  lines: Line[];
}
