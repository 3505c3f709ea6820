import type { RetrievedPassage } from '../../../retrieval/retriever.js';
import { sentencesOf, type Span } from '../../../text/index.js';
import { isFunctionWord } from '../question/words.js';
import { FIELD_WEIGHTS, makeField, withWords } from './field.js';
import { headingFields, isExample, isGlossary } from './row-units.js';
import type { SentenceUnit } from './units.js';

/** The sentences, list items and glossary entries of a passage; none for a table of contents. */
export function sentenceUnits(passage: RetrievedPassage): SentenceUnit[] {
  if (passage.headingPath.some((title) => CONTENTS.test(title))) return [];
  const { text } = passage;
  const spans = joinIncomplete(text, sentencesOf(text)).filter((span) => !isTitle(textAt(text, span)));
  const headings = headingFields(passage);
  return spans.map((span, index) => {
    const sentence = textAt(text, span);
    const lead = leadOf(text, span);
    const body = makeField('body', FIELD_WEIGHTS.sentence, sentence);
    const title = makeField('label', FIELD_WEIGHTS.label, titleOf(passage, sentence, index));
    return {
      kind: 'sentence',
      passage,
      span: { start: span.end - withoutBullet(sentence).length, end: span.end },
      lead,
      own: title.stems.length > 0 ? title : body,
      isExample: isExample(passage.headingPath),
      isGlossary: isGlossary(passage.headingPath),
      fields: withWords([
        title,
        body,
        makeField('label', FIELD_WEIGHTS.lead, lead),
        makeField('context', FIELD_WEIGHTS.neighbour, neighbours(text, spans, index)),
        ...headings,
      ]),
    };
  });
}

/** What a sentence is about, where that is told apart: the term of an entry, or the question that it answers first. */
function titleOf({ headingPath }: RetrievedPassage, sentence: string, index: number): string {
  const heading = headingPath.at(-1) ?? '';
  return termOf(sentence) ?? (index === 0 && heading.endsWith('?') ? heading : '');
}

/** The term that an entry begins with; a sentence such as "You pay first." is none. */
function termOf(sentence: string): string | undefined {
  const words = ENTRY.exec(sentence)?.[1]?.split(/\s+/) ?? [];
  const isSentence = isFunctionWord((words[0] ?? '').toLowerCase()) || words.length > MOST_TERM_WORDS;
  return words.length === 0 || isSentence ? undefined : words.join(' ');
}

const CONTENTS = /^(table of )?contents$|^index$/i;
const BULLET = /^[•▪●◦‣*–-]\s+/;
/** "Step therapy. The rule that …" or "• Step therapy: you try …": what may be an entry that begins with its term. */
const ENTRY = /^(?:[•▪●◦‣*–-]\s+)?(\p{Lu}[^.:?!\n]{1,60})[.:](?= \S|$)/u;
const MOST_TERM_WORDS = 6;
const ANSWER_WORD = /^(yes|no|never|always|it depends)[.!]$/i;
const VALUE = /^[$€£]?\s?\d[\d,.]*\s?%?$/;
const RUN_IN_HEADING = /^\p{Lu}[^.:?!\n]{2,70}:(?=\s)/u;

const textAt = (text: string, { start, end }: Span) => text.slice(start, end);

/** A line that only names what follows states nothing. */
const isTitle = (line: string) =>
  !BULLET.test(line) && !/[.!?…:;)"”。！？]$|\d/.test(line) && line.split(/\s+/).length <= 8;

/** Joins pieces that say something only together; see `completes`. */
function joinIncomplete(text: string, spans: Span[]): Span[] {
  const joined: Span[] = [];
  for (const span of spans) {
    const last = joined.at(-1);
    if (last && completes(text, last, span)) last.end = span.end;
    else joined.push({ ...span });
  }
  return joined;
}

/**
 * Whether a piece completes the one before: "Does this plan cover dental care? Yes.", a glossary's "Step therapy. The
 * rule that …", "No. You may …", or "Total cost" and "$12,700" in two lines.
 */
function completes(text: string, before: Span, { start, end }: Span): boolean {
  const first = textAt(text, before);
  if (VALUE.test(text.slice(start, end))) return /[\p{L})]$/u.test(first);
  if (text.slice(before.end, start).includes('\n')) return false;
  const startsParagraph = before.start === 0 || text[before.start - 1] === '\n';
  return (
    first.endsWith('?') ||
    ANSWER_WORD.test(first) ||
    (startsParagraph && first.endsWith('.') && termOf(first) === withoutBullet(first).slice(0, -1))
  );
}

/** What introduces a sentence within its passage: the line before a list, or the run-in heading of a paragraph. */
function leadOf(text: string, { start, end }: Span): string {
  const paragraph = text.lastIndexOf('\n\n', start);
  const from = paragraph < 0 ? 0 : paragraph + 2;
  if (BULLET.test(text.slice(start, end))) {
    const before = text.slice(from, from + text.slice(from).search(/^[•▪●◦‣*–-]\s/m)).trim();
    // A whole sentence before a list is about something of its own.
    return before.endsWith('.') ? '' : before;
  }
  return start > from ? (RUN_IN_HEADING.exec(text.slice(from))?.[0] ?? '') : '';
}

const withoutBullet = (line: string) => line.replace(BULLET, '');

const neighbours = (text: string, spans: Span[], index: number) =>
  [spans[index - 1], spans[index + 1]].map((span) => (span ? textAt(text, span) : '')).join('\n');
