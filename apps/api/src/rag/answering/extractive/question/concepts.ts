import { tokenize } from '../../../text/index.js';
import type { AnswerType } from './answer-type.js';
import { LEXICON } from './lexicon.js';
import { stemOf } from '../stems.js';

/** Something a question is about, with every way in which a document may state it. */
export interface Concept {
  /** As the member said it. */
  asked: string;
  alternatives: ConceptAlternative[];
  /** 0 to 1: how much finding it tells about having found the answer. */
  salience: number;
  /** The kind of answer that states the concept without words, such as a telephone number. */
  kind: AnswerType | null;
}

export interface ConceptAlternative {
  stems: string[];
  /** 1 as the member said it, less for a synonym, least for a broader term. */
  weight: number;
}

const SYNONYM_WEIGHT = 0.9;
const BROADER_WEIGHT = 0.6;
/** Words that `~` may stand for in a phrase of the lexicon. */
const MAX_GAP = 5;

/** A phrase of the lexicon as it may occur in a question; null stands for the gap. */
interface Phrase {
  parts: Array<string | null>;
  concept: Concept;
}

const PHRASES_BY_FIRST_STEM = compileLexicon();
/** Words of the lexicon are known words: they are not corrected into words of the documents. */
export const LEXICON_WORDS: ReadonlySet<string> = new Set(
  LEXICON.flatMap(({ same, broader }) => [...same, ...broader]).flatMap((phrase) =>
    tokenize(phrase).map(({ text }) => text),
  ),
);

export interface PhraseMatch {
  start: number;
  /** Exclusive. */
  end: number;
  concept: Concept;
}

/** The phrases of the lexicon in a question's stems, longest first, none overlapping another, in order. */
export function findPhrases(stems: string[]): PhraseMatch[] {
  const matches = stems.flatMap((stem, start) =>
    (PHRASES_BY_FIRST_STEM.get(stem) ?? []).flatMap(({ parts, concept }) => {
      const end = matchEnd(stems, start, parts);
      return end === null
        ? []
        : [{ start, end, concept, said: parts.filter((part) => part !== null).length }];
    }),
  );
  matches.sort((a, b) => b.said - a.said || a.start - b.start);
  const taken = new Array<PhraseMatch | undefined>(stems.length).fill(undefined);
  const chosen: PhraseMatch[] = [];
  for (const { start, end, concept } of matches) {
    const twin = chosen.find((other) => other.start === start && other.end === end);
    if (twin) twin.concept = mergeConcepts(twin.concept, concept);
    else if (taken.slice(start, end).every((match) => !match)) {
      const match = { start, end, concept };
      chosen.push(match);
      taken.fill(match, start, end);
    }
  }
  return chosen.sort((a, b) => a.start - b.start);
}

/** A word that the lexicon does not know: only its stem counts. */
export const wordConcept = (asked: string, salience: number): Concept => ({
  asked,
  salience,
  kind: null,
  alternatives: [{ stems: [stemOf(asked)], weight: 1 }],
});

/** A phrase that belongs to two lines of the lexicon means either of them. */
function mergeConcepts(one: Concept, other: Concept): Concept {
  return {
    asked: one.asked,
    salience: Math.max(one.salience, other.salience),
    kind: one.kind ?? other.kind,
    alternatives: [...one.alternatives, ...other.alternatives],
  };
}

function matchEnd(stems: string[], start: number, parts: Array<string | null>): number | null {
  let at = start;
  for (let i = 0; i < parts.length; i += 1) {
    const part = parts[i];
    if (part === null) {
      const next = stems.slice(at, at + MAX_GAP + 1).indexOf(parts[i + 1]!);
      if (next < 0) return null;
      at += next;
    } else if (stems[at] === part) at += 1;
    else return null;
  }
  return at;
}

function compileLexicon(): Map<string, Phrase[]> {
  const byFirstStem = new Map<string, Phrase[]>();
  for (const { same, broader, salience, kind } of LEXICON) {
    const alternatives = [
      ...same.filter((phrase) => !phrase.includes('~')).map((phrase) => ({ phrase, weight: SYNONYM_WEIGHT })),
      ...broader.map((phrase) => ({ phrase, weight: BROADER_WEIGHT })),
    ].map(({ phrase, weight }) => ({ stems: stemsOfPhrase(phrase), weight }));
    for (const asked of same) {
      const parts = asked.split(/[ -]/).flatMap((word) => (word === '~' ? [null] : stemsOfPhrase(word)));
      const first = parts[0];
      if (!first) continue;
      const said = parts.includes(null) ? [] : [{ stems: parts as string[], weight: 1 }];
      const phrase = { parts, concept: { asked, salience, kind, alternatives: [...said, ...alternatives] } };
      byFirstStem.set(first, [...(byFirstStem.get(first) ?? []), phrase]);
    }
  }
  return byFirstStem;
}

function stemsOfPhrase(phrase: string): string[] {
  return tokenize(phrase).map(({ text }) => stemOf(text));
}
