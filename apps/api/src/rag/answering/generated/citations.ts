import type { Span } from '../../text/index.js';
import { bestSentence, numbersHold, resembles, weightOf } from './grounding.js';
import { MARKER, splitAtMarkers } from './markers.js';
import type { CitablePassage } from './prompt.js';
import { findVerbatim } from './quotes.js';

/** A part of a sentence, up to its markers, with the places in the documents that it rests on. */
export interface CitedPart {
  text: string;
  /** Empty for words that claim nothing, such as a full stop. */
  sources: Source[];
}

export interface Source {
  passage: CitablePassage;
  /** The quote, in the passage's text. */
  span: Span;
}

export interface ResolvedSentence {
  /** The sentence without the model's markers; undefined when it does not stand. */
  parts?: CitedPart[];
  /** The passages that it names. */
  named: CitablePassage[];
  /** Markers that name no passage, and markers whose passage does not support the claim. */
  dropped: { unknown: number; unsupported: number };
}

/**
 * Checks a sentence of a model against the passages it names, and finds the quote for each claim: the words that it
 * quotes, where they stand there word for word, else the sentence of the passage that comes closest.
 *
 * A sentence stands or falls as a whole: every part of it that claims something needs a source, and its numbers must
 * stand in the passages it names.
 *
 * @param neighbours the passages that sentences beside it name, for what has no markers of its own
 */
export function resolveSentence(
  sentence: string,
  supplied: readonly CitablePassage[],
  neighbours: readonly CitablePassage[] = [],
): ResolvedSentence {
  const segments = splitAtMarkers(sentence, opaqueSpans(sentence, supplied));
  const numbers = segments.flatMap((segment) => segment.numbers);
  const named = [...new Set(numbers.flatMap((number) => supplied[number - 1] ?? []))];
  const evidence = numbers.length > 0 ? named : neighbours;

  const dropped = { unknown: 0, unsupported: 0 };
  const parts = segments.map((segment): CitedPart & { stands: boolean } => {
    const isMarked = segment.numbers.length > 0;
    const text = segment.text.trimEnd();
    if (!isMarked && numbers.length > 0 && weightOf(text) < LEAST_CLAIM)
      return { text, sources: [], stands: true };
    const known = segment.numbers.flatMap((number) => supplied[number - 1] ?? []);
    const sources = (isMarked ? known : evidence).flatMap(
      (passage) => sourceOf(text, sentence, passage) ?? [],
    );
    dropped.unknown += segment.numbers.length - known.length;
    dropped.unsupported += isMarked ? known.length - sources.length : 0;
    return {
      text: unquoteFabrications(text, sources),
      sources: isMarked ? sources : sources.slice(0, 1),
      stands: sources.length > 0,
    };
  });

  const said = evidence.map(({ text, headingPath, documentTitle }) =>
    [text, ...headingPath, documentTitle].join('\n'),
  );
  const stands = parts.every((part) => part.stands) && numbersHold(withoutMarkers(sentence), said.join('\n'));
  return {
    parts: stands ? parts.map(({ text, sources }) => ({ text, sources })) : undefined,
    named,
    dropped,
  };
}

/** Content words and numbers; what has fewer is an ending, not a claim. */
const LEAST_CLAIM = 3;

/** Where a passage supports a claim; undefined when it does not. */
function sourceOf(claim: string, sentence: string, passage: CitablePassage): Source | undefined {
  const quotes = quotationsIn(claim);
  const verbatim = quotes
    .flatMap((quote) => findVerbatim(quote.text, passage.text) ?? [])
    .sort((a, b) => b.end - b.start - (a.end - a.start))[0];
  if (verbatim) return { passage, span: verbatim };
  // A short part ("and $40") is understood from its sentence.
  const whole = weightOf(claim) < LEAST_CLAIM ? withoutMarkers(sentence) : claim;
  const share = quotes.some(({ long }) => long) ? SHARE_WITHOUT_ITS_QUOTE : undefined;
  if (!resembles(whole, passage.text, share)) return undefined;
  return {
    passage,
    span: passage.kind === 'table-row' ? wholeOf(passage) : bestSentence(whole, passage.text),
  };
}

/** A claim whose quote is not in the passage is suspect: it must share more of its words than others. */
const SHARE_WITHOUT_ITS_QUOTE = 0.6;

const wholeOf = ({ text }: CitablePassage): Span => ({ start: 0, end: text.length });

interface Quotation extends Span {
  text: string;
  /** Long enough to pass for words of the document; shorter ones may be terms. */
  long: boolean;
}

const QUOTATION = /["“”„«]([^"“”„«»\n]{2,600})["”“»]/g;

/** Quotations that could prove something: two words, or a number. */
function quotationsIn(text: string): Quotation[] {
  return Array.from(text.matchAll(QUOTATION), ({ 0: whole, 1: inner, index }) => {
    const words = withoutMarkers(inner!).split(/\s+/).filter(Boolean).length;
    const quotation = {
      text: withoutMarkers(inner!),
      start: index,
      end: index + whole.length,
      long: words > 2,
    };
    return words >= 2 || /\d/.test(inner!) ? quotation : undefined;
  }).filter((quotation) => quotation !== undefined);
}

/** Words that stand in no source must not look as if they did, so they lose their quotation marks. */
function unquoteFabrications(text: string, sources: readonly Source[]): string {
  const fabricated = quotationsIn(text).filter(
    ({ text: quote, long }) => long && !sources.some(({ passage }) => findVerbatim(quote, passage.text)),
  );
  return fabricated.reduceRight(
    (result, { start, end }) => result.slice(0, start) + result.slice(start + 1, end - 1) + result.slice(end),
    text,
  );
}

/** Where brackets are not markers: in code, and in words that stand just so in a passage. */
function opaqueSpans(sentence: string, supplied: readonly CitablePassage[]): Span[] {
  const code = Array.from(sentence.matchAll(/`[^`]*`/g), spanOf);
  const quoted = Array.from(sentence.matchAll(QUOTATION))
    .filter(({ 1: inner }) => inner!.includes('[') && supplied.some(({ text }) => findVerbatim(inner!, text)))
    .map(spanOf);
  return [...code, ...quoted];
}

const spanOf = ({ 0: match, index }: RegExpExecArray): Span => ({ start: index, end: index + match.length });

const withoutMarkers = (text: string) => text.replace(MARKER, ' ');
