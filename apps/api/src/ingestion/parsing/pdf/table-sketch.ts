import type { Line } from './draft.js';

/** A table as a page shows it: rows of cells, before labels, headers and further pages are made out. */
export interface TableSketch {
  kind: 'table-sketch';
  caption: string | null;
  /** Tagged tables hold all rows of the element, also those without text on this page. */
  rows: SketchCell[][];
}

export interface SketchCell {
  header: boolean;
  /** None when the cell is blank, or has no text on this page. */
  paragraphs: Line[][];
  /** First and last column, where the page shows them; else they follow from order and place. */
  columns?: { first: number; last: number };
}
