import { tokenize } from '../../../text/index.js';
import { Expectations } from './answer-type.js';
import { findPhrases, LEXICON_WORDS, wordConcept, type Concept } from './concepts.js';
import { askedNetwork, type NetworkSide } from './network.js';
import { correctSpelling } from './spelling.js';
import { stemOf } from '../stems.js';
import type { Unit } from '../units/units.js';
import { isFunctionWord, isPlainStem, salienceOf } from './words.js';

/** What a question asks, as far as words tell. */
export interface Question {
  text: string;
  concepts: Concept[];
  /** What kind of thing an answer must state. */
  expects: Expectations;
  /** Which column of a plan with a provider network is meant; null when the member does not say. */
  network: NetworkSide | null;
}

/** The units give the vocabulary against which spelling is corrected. */
export function analyzeQuestion(question: string, units: Unit[]): Question {
  const { network, rest } = askedNetwork(question);
  const vocabulary = new Set(
    units.flatMap(({ fields }) => fields.flatMap(({ positions }) => [...positions.keys()])),
  );
  // What the documents cannot state need not be looked for in every unit.
  const concepts = conceptsIn(rest, units, vocabulary).map((concept) => ({
    ...concept,
    alternatives: concept.alternatives.filter(({ stems }) => stems.every((stem) => vocabulary.has(stem))),
  }));
  return { text: question, concepts, expects: Expectations.of(question), network };
}

function conceptsIn(question: string, units: Unit[], vocabulary: ReadonlySet<string>): Concept[] {
  const tokens = tokenize(question);
  const words = correctWords(
    tokens.map(({ text }) => text),
    units,
    vocabulary,
  );
  const stems = words.map(stemOf);
  const phrases = findPhrases(stems);
  const inPhrase = new Set(phrases.flatMap(({ start, end }) => range(start, end)));
  const singles = words.flatMap((word, at) =>
    inPhrase.has(at) || isFunctionWord(word) || word.length === 1
      ? []
      : [{ start: at, concept: wordConcept(word, salienceOf(word)) }],
  );
  const found = [...phrases, ...singles].sort((a, b) => a.start - b.start);
  const placed = found.map(({ start, concept }) => ({ concept, at: tokens[start]!.start }));
  return withoutRepeats(dimBackground(question, placed));
}

/** Replaces words that neither everyday English, nor the lexicon, nor the documents know by the nearest known one. */
function correctWords(words: string[], units: Unit[], vocabulary: ReadonlySet<string>): string[] {
  const isKnown = (word: string) =>
    isFunctionWord(word) ||
    isPlainStem(stemOf(word)) ||
    LEXICON_WORDS.has(word) ||
    vocabulary.has(stemOf(word));
  // Collected only when a word needs it, because it takes a look at every word of every passage.
  let frequencies: Map<string, number> | undefined;
  return words.map((word) => {
    if (isKnown(word)) return word;
    frequencies ??= wordFrequencies(units);
    return correctSpelling(word, frequencies) ?? word;
  });
}

function wordFrequencies(units: Unit[]): Map<string, number> {
  const frequencies = new Map<string, number>([...LEXICON_WORDS].map((word) => [word, 1]));
  for (const passage of new Set(units.map((unit) => unit.passage))) {
    for (const { text } of tokenize(passage.text)) frequencies.set(text, (frequencies.get(text) ?? 0) + 1);
  }
  return frequencies;
}

/** What is told before the question ("I hurt my back, can I see a chiropractor?") counts this much. */
const BACKGROUND_FACTOR = 0.5;
const TELLING_SALIENCE = 0.5;
const ASKS =
  /^\s*(?:(?:and|so|but|then|or) )?(?:what|how|when|where|who|whom|which|why|is|are|do|does|did|can|could|will|would|should|am|any|must|may|has|have)\b/i;

/** Lowers the salience of concepts outside the clauses that ask, unless those name no topic of their own. */
function dimBackground(question: string, placed: Array<{ concept: Concept; at: number }>): Concept[] {
  const asking = Array.from(question.matchAll(/[^,.;:?!–—]+[?]?/g))
    .filter(({ 0: clause }) => ASKS.test(clause) || clause.endsWith('?'))
    .map(({ 0: clause, index }) => ({ start: index, end: index + clause.length }));
  const isAsked = ({ at }: { at: number }) => asking.some(({ start, end }) => start <= at && at < end);
  const namesTopic = placed.some((one) => isAsked(one) && one.concept.salience >= TELLING_SALIENCE);
  return placed.map((one) =>
    namesTopic && !isAsked(one)
      ? { ...one.concept, salience: one.concept.salience * BACKGROUND_FACTOR }
      : one.concept,
  );
}

/** "A deductible before my deductible" asks about one deductible. */
function withoutRepeats(concepts: Concept[]): Concept[] {
  const seen = new Set<string>();
  return concepts.filter(({ alternatives }) => {
    const key = alternatives.map(({ stems }) => stems.join(' ')).sort();
    return !seen.has(key.join('|')) && seen.add(key.join('|'));
  });
}

const range = (start: number, end: number) => Array.from({ length: end - start }, (_, i) => start + i);
