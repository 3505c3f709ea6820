import { tokenize } from '../../text/index.js';
import { askedTypes, type AnswerType } from './answer-type.js';
import { findPhrases, LEXICON_WORDS, wordConcept, type Concept } from './concepts.js';
import { correctSpelling } from './spelling.js';
import { stemOf } from './stems.js';
import type { Unit } from './units.js';

/** What a question asks, as far as words tell. */
export interface Question {
  text: string;
  concepts: Concept[];
  types: Set<AnswerType>;
  /** Which column of a plan with a provider network is meant; null when the member does not say. */
  network: 'in' | 'out' | null;
}

export function analyzeQuestion(question: string, units: Unit[]): Question {
  const { network, rest } = takeNetwork(question);
  const words = correctWords(
    tokenize(rest).map(({ text }) => text),
    units,
  );
  return { text: question, concepts: conceptsIn(words), types: askedTypes(question), network };
}

const OUT_OF_NETWORK =
  /\b(?:out[- ]of|outside(?: of)?|not in|n['’]t in|not part of|n['’]t part of|off)[- ](?:the |my |our |your |plan['’]?s? )*network\b|\bnon[- ]?(?:network|participating|preferred provider)\b|\bout[- ]?of[- ]?network\b/gi;
const IN_NETWORK =
  /\b(?:in|inside|within|with|stay in|part of)[- ](?:the |my |our |your |plan['’]?s? )*network\b|\bnetwork (?:provider|doctor|hospital|pharmacy|specialist)s?\b|\bin[- ]?network\b|\bparticipating\b/gi;

/** Reads which network is meant and takes those words out, because they name a column and not the topic. */
function takeNetwork(question: string): { network: Question['network']; rest: string } {
  const withoutOut = question.replace(OUT_OF_NETWORK, ' ');
  if (withoutOut !== question) return { network: 'out', rest: withoutOut };
  const withoutIn = question.replace(IN_NETWORK, ' ');
  // A question that is about nothing else ("Do I pay less in the network?") keeps its words.
  return withoutIn !== question ? { network: 'in', rest: question } : { network: null, rest: question };
}

function correctWords(words: string[], units: Unit[]): string[] {
  const { stems, frequencies } = vocabularyOf(units);
  const isKnown = (word: string) =>
    isFunctionWord(word) ||
    LEXICON_WORDS.has(word) ||
    stems.has(stemOf(word)) ||
    LIGHT_STEMS.has(stemOf(word));
  return words.map((word) => (isKnown(word) ? word : (correctSpelling(word, frequencies) ?? word)));
}

function vocabularyOf(units: Unit[]): { stems: Set<string>; frequencies: Map<string, number> } {
  const stems = new Set(units.flatMap(({ fields }) => fields.flatMap((field) => field.stems)));
  const frequencies = new Map<string, number>([...LEXICON_WORDS].map((word) => [word, 1]));
  for (const passage of new Set(units.map((unit) => unit.passage))) {
    for (const { text } of tokenize(passage.text)) frequencies.set(text, (frequencies.get(text) ?? 0) + 1);
  }
  return { stems, frequencies };
}

function conceptsIn(words: string[]): Concept[] {
  const stems = words.map(stemOf);
  const phrases = findPhrases(stems);
  const inPhrase = new Set(phrases.flatMap(({ start, end }) => range(start, end)));
  const singles = words
    .map((word, at) => ({ word, at }))
    .filter(({ word, at }) => !inPhrase.has(at) && !isFunctionWord(word) && word.length > 1)
    .map(({ word, at }) => ({
      at,
      concept: wordConcept(word, LIGHT_STEMS.has(stems[at]!) ? LIGHT_SALIENCE : 1),
    }));
  const inOrder = [...phrases.map(({ start, concept }) => ({ at: start, concept })), ...singles];
  return withoutRepeats(inOrder.sort((a, b) => a.at - b.at).map(({ concept }) => concept));
}

/** "A deductible before my deductible" asks about one deductible. */
function withoutRepeats(concepts: Concept[]): Concept[] {
  const seen = new Set<string>();
  return concepts.filter(({ alternatives }) => {
    const key = alternatives
      .map(({ stems }) => stems.join(' '))
      .sort()
      .join('|');
    return !seen.has(key) && seen.add(key);
  });
}

const range = (start: number, end: number) => Array.from({ length: end - start }, (_, i) => start + i);

const isFunctionWord = (word: string) => FUNCTION_WORDS.has(word);

/** Words that frame a question and name no topic. */
const FUNCTION_WORDS = new Set(
  `a about above after again against all also am an and another any are aren't as at be because been being below between both but by
  can can't could couldn't did didn't do does doesn't doing don't down during each either else ever few for from further had has hasn't
  have haven't having he her here hers him his how how's however i i'd i'll i'm i've if i.e in into is isn't it it's its itself just let
  let's like many may maybe me might mine more most much must my myself no nor not now of off often on once one only or other our ours
  out over own per perhaps please quite rather really s same shall she should shouldn't since so some something still such t than that
  that's the their theirs them then there there's these they they're this those through to too under until up upon us very was wasn't
  we we'd we'll we're we've were what what's whats when where which while who who's whom whose why will with within without won't would
  wouldn't yes yet you you'd you'll you're you've your yours yourself hi hello thanks thank kindly tell know`.split(
    /\s+/,
  ),
);

const LIGHT_SALIENCE = 0.15;
/** Everyday words that say little about the topic, or stand in nearly every question about a plan. */
const LIGHT_STEMS = new Set(
  `able allow altogether amount anything apply ask available back bad become benefit big bill bring buy care case charge cheap come cost count
  cover coverage day different difference easy end expensive expense explain fee few figure find first follow full general get give go
  going good great happen hard health healthcare help high include instead insurance insured insurer involve issue item keep kind know last less
  little long look lot low make matter mean medical member mention money much name necessary need new next nothing number offer ok old
  order owe paid part particular patient pay payment people percent percentage person plan policy portion possible price problem
  procedure provide put question reason receive regard regular require required right run say see seem separate service share show sick
  simple single small someone soon sort start state stay step stop stuff supposed sure take talk thing think time today together told
  total treat treatment trip try twice type typical use useful usually value want way week well whole wish work worth wrong
  additional currently actually exactly`
    .split(/\s+/)
    .map(stemOf),
);
