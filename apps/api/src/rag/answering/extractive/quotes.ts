import type { Span } from '../../text/index.js';
import type { RetrievedPassage } from './units.js';

/** A piece of a passage that is quoted, with what a reader needs to make sense of it. */
export interface Quote {
  passage: RetrievedPassage;
  span: Span;
  /** Where it stands, in the document's words: row label, group, column header, list lead or heading. */
  label: string;
  column: string;
}
