import type { Passage, PassageCell } from '../../passages/passage.js';
import { sentencesOf, tokenize, type Span } from '../../text/index.js';
import { stemOf } from './stems.js';

/** A passage as retrieval hands it over: with its document's title and how well it fits the question. */
export interface RetrievedPassage extends Passage {
  documentTitle: string;
  /** 0 to 1, fused of the two below. */
  score: number;
  lexicalScore: number;
  /** null while the document has no vectors. */
  semanticScore: number | null;
}

/** The smallest thing that can answer: a row of a table or a sentence, with the words that say what it is about. */
export type Unit = RowUnit | SentenceUnit;

interface UnitBase {
  /** Where the unit begins. */
  passage: RetrievedPassage;
  /** What a reader needs to make sense of a quote: the row's label or the lead of a list; may be empty. */
  label: string;
  fields: Field[];
}

export interface RowUnit extends UnitBase {
  kind: 'row';
  group: string;
  caption: string;
  cells: UnitCell[];
}

export interface SentenceUnit extends UnitBase {
  kind: 'sentence';
  /** In the passage's text. */
  span: Span;
}

/** A cell in the passage that holds it: a long row is spread over several passages. */
export interface UnitCell extends PassageCell {
  passage: RetrievedPassage;
}

/** A stretch of words with the weight of a word found in it. */
export interface Field {
  name: 'label' | 'body' | 'heading' | 'context';
  weight: number;
  stems: string[];
  positions: Map<string, number[]>;
}

/** A word in a label says more about the row than one in its cells, and that more than one in a heading above. */
const WEIGHTS = {
  rowLabel: 1,
  rowGroup: 0.75,
  rowCells: 0.75,
  sentence: 0.9,
  lead: 0.75,
  caption: 0.6,
  nearestHeading: 0.6,
  heading: 0.35,
  neighbour: 0.3,
};

export function unitsOf(passages: RetrievedPassage[]): Unit[] {
  const inOrder = [...passages].sort((a, b) => order(a.documentId, b.documentId) || a.ordinal - b.ordinal);
  const units: Unit[] = [];
  for (const [i, passage] of inOrder.entries()) {
    if (!passage.row) units.push(...sentenceUnits(passage));
    else if (!continuesRow(inOrder[i - 1], passage)) units.push(rowUnit(rowParts(inOrder, i)));
  }
  return units;
}

export function makeField(name: Field['name'], weight: number, text: string): Field {
  const stems = tokenize(text).map((token) => stemOf(token.text));
  const positions = new Map<string, number[]>();
  stems.forEach((stem, at) => {
    const known = positions.get(stem);
    if (known) known.push(at);
    else positions.set(stem, [at]);
  });
  return { name, weight, stems, positions };
}

const order = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

function continuesRow(
  previous: RetrievedPassage | undefined,
  { documentId, ordinal, row }: RetrievedPassage,
): boolean {
  return (
    previous?.documentId === documentId &&
    previous.ordinal === ordinal - 1 &&
    !!row?.label &&
    previous.row?.label === row.label &&
    previous.row.group === row.group &&
    // Two rows of one label, each complete, are two rows.
    previous.row.cells.at(0)?.header !== row.cells.at(0)?.header
  );
}

function rowParts(passages: RetrievedPassage[], at: number): RetrievedPassage[] {
  let end = at + 1;
  while (end < passages.length && continuesRow(passages[end - 1], passages[end]!)) end += 1;
  return passages.slice(at, end);
}

function rowUnit(parts: RetrievedPassage[]): RowUnit {
  const passage = parts[0]!;
  const { label, group, caption } = passage.row!;
  const cells = parts.flatMap((part) => part.row!.cells.map((cell) => ({ ...cell, passage: part })));
  return {
    kind: 'row',
    passage,
    label,
    group: group ?? '',
    caption: caption ?? '',
    cells,
    fields: compact([
      makeField('label', WEIGHTS.rowLabel, label),
      makeField('heading', WEIGHTS.rowGroup, group ?? ''),
      makeField('heading', WEIGHTS.caption, caption ?? ''),
      makeField('body', WEIGHTS.rowCells, cells.map(({ text }) => text).join('\n')),
      ...headingFields(passage),
    ]),
  };
}

function sentenceUnits(passage: RetrievedPassage): SentenceUnit[] {
  const { text } = passage;
  const spans = joinAnsweredQuestions(text, sentencesOf(text));
  const headings = headingFields(passage);
  return spans.map((span, index) => {
    const lead = leadOf(text, spans, index);
    return {
      kind: 'sentence',
      passage,
      span: withoutBullet(text, span),
      label: lead || (passage.headingPath.at(-1) ?? ''),
      fields: compact([
        makeField('body', WEIGHTS.sentence, text.slice(span.start, span.end)),
        makeField('label', WEIGHTS.lead, lead),
        makeField('context', WEIGHTS.neighbour, neighbours(text, spans, index)),
        ...headings,
      ]),
    };
  });
}

/** "Does this plan cover dental care? Yes." is one statement. */
function joinAnsweredQuestions(text: string, spans: Span[]): Span[] {
  const joined: Span[] = [];
  for (const span of spans) {
    const last = joined.at(-1);
    const answers = last && text[last.end - 1] === '?' && !text.slice(last.end, span.start).includes('\n');
    if (answers) last.end = span.end;
    else joined.push({ ...span });
  }
  return joined;
}

const BULLET = /^[•▪●◦‣*–-]\s+/;
const RUN_IN_HEADING = /^\p{Lu}[^.:?!\n]{2,70}:(?=\s)/u;

/** What introduces a sentence within its passage: the paragraph before a list, or the run-in heading of a paragraph. */
function leadOf(text: string, spans: Span[], index: number): string {
  const { start, end } = spans[index]!;
  if (BULLET.test(text.slice(start, end))) {
    const items = text.lastIndexOf('\n\n', start);
    const from = items < 0 ? 0 : items + 2;
    const firstBullet = text.slice(from).search(/^[•▪●◦‣*–-]\s/m);
    return text.slice(from, from + firstBullet).trim();
  }
  const paragraph = text.lastIndexOf('\n\n', start);
  const from = paragraph < 0 ? 0 : paragraph + 2;
  return start > from ? (RUN_IN_HEADING.exec(text.slice(from))?.[0] ?? '') : '';
}

function withoutBullet(text: string, { start, end }: Span): Span {
  const bullet = BULLET.exec(text.slice(start, end));
  return { start: start + (bullet?.[0].length ?? 0), end };
}

const neighbours = (text: string, spans: Span[], index: number) =>
  [spans[index - 1], spans[index + 1]]
    .map((span) => (span ? text.slice(span.start, span.end) : ''))
    .join('\n');

const headingFields = ({ headingPath, documentTitle }: RetrievedPassage): Field[] => [
  makeField('heading', WEIGHTS.nearestHeading, headingPath.at(-1) ?? ''),
  makeField('heading', WEIGHTS.heading, [...headingPath.slice(0, -1), documentTitle].join('\n')),
];

const compact = (fields: Field[]) => fields.filter(({ stems }) => stems.length > 0);
