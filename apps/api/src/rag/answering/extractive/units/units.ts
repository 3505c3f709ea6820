import type { PassageCell } from '../../../passages/passage.js';
import type { RetrievedPassage } from '../../../retrieval/retriever.js';
import type { Span } from '../../../text/index.js';
import type { Field } from './field.js';
import { rowUnit } from './row-units.js';
import { sentenceUnits } from './sentence-units.js';

/** The smallest thing that can answer: a row of a table or a sentence, with the words that say what it is about. */
export type Unit = RowUnit | SentenceUnit;

interface UnitBase {
  /** Where the unit begins. */
  passage: RetrievedPassage;
  /** Where words of a question may stand, each place with its weight. */
  fields: Field[];
  /** The unit's own key words: a row's label, the term of a glossary, or a sentence itself. */
  own: Field;
  /** Stands in a section of examples, whose figures are made up. */
  isExample: boolean;
  /** Stands in a section that explains words. */
  isGlossary: boolean;
}

export interface RowUnit extends UnitBase {
  kind: 'row';
  label: string;
  group: string;
  caption: string;
  cells: UnitCell[];
}

/** A cell in the passage that holds it: a long row is spread over several passages. */
export interface UnitCell extends PassageCell {
  passage: RetrievedPassage;
}

export interface SentenceUnit extends UnitBase {
  kind: 'sentence';
  /** In the passage's text, without a bullet. */
  span: Span;
  /** What introduces it within its passage: the paragraph before a list, a run-in heading; may be empty. */
  lead: string;
}

/** Cuts passages into units, in the order of the documents. */
export function unitsOf(passages: RetrievedPassage[]): Unit[] {
  const inOrder = [...passages].sort((a, b) => compare(a.documentId, b.documentId) || a.ordinal - b.ordinal);
  const units: Unit[] = [];
  for (let at = 0; at < inOrder.length; at += 1) {
    const passage = inOrder[at]!;
    if (passage.row) {
      const parts = [passage];
      while (continuesRow(inOrder[at], inOrder[at + 1])) parts.push(inOrder[(at += 1)]!);
      units.push(rowUnit(parts));
    } else units.push(...sentenceUnits(passage));
  }
  return units;
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

/** A row over the size limit goes on in the next passage, under the same label. */
function continuesRow(part: RetrievedPassage | undefined, next: RetrievedPassage | undefined): boolean {
  if (!part?.row?.label || !next?.row || part.documentId !== next.documentId) return false;
  const sameRow = part.row.label === next.row.label && part.row.group === next.row.group;
  // Two rows of one label, each complete, are two rows.
  const startsAgain =
    part.row.cells.at(0)?.header === next.row.cells.at(0)?.header && part.row.cells.length > 1;
  return next.ordinal === part.ordinal + 1 && sameRow && !startsAgain;
}
