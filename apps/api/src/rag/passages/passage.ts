import type { SpokenTime } from './time.js';

/**
 * A passage is a piece of a document's text and the unit of retrieval and citation. Its id is derived
 * (UUIDv5 of document, chunker, version, ordinal), so making the passages of a document twice gives the same rows.
 */
export interface Passage extends SpokenTime {
  id: string;
  documentId: string;
  /** 0, 1, 2 … in reading order, without gaps. */
  ordinal: number;
  kind: 'prose' | 'table-row';
  /** At most about 90 words: the embedder reads no further. Quotes are slices of exactly this text. */
  text: string;
  /** Titles of the sections that the passage stands in, outermost first. */
  headingPath: string[];
  /** 1 is the first page; null for formats without pages. */
  page: number | null;
  box: Box | null;
  /** Only for `table-row`: where label and cells stand in `text`. */
  row: PassageRow | null;
}

export type NewPassage = Omit<Passage, 'id' | 'documentId'>;

/** A rectangle as shares of the page (0 to 1) from its top left corner, so that it holds at any zoom. */
export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** A row of a table, with the columns it was read under. Offsets are UTF-16 code units in the passage's text. */
export interface PassageRow {
  caption: string | null;
  /** The label that several rows share, such as "If you have outpatient surgery"; null when there is none. */
  group: string | null;
  /** The row's own label, such as "Facility fee"; empty when the table has no label column. */
  label: string;
  cells: PassageCell[];
}

export interface PassageCell {
  /** Path of column headers, outermost first: "What You Will Pay > Network Provider". Empty when unknown. */
  header: string;
  text: string;
  start: number;
  end: number;
  box: Box | null;
}
