import type { AnswerType } from './question/answer-type.js';
import type { Concept } from './question/concepts.js';
import { containsPhrase } from './units/field.js';
import { matchConcept, type WeighedConcept } from './matching.js';
import type { Question } from './question/question.js';
import type { Unit } from './units/units.js';
import { isFunctionStem, isLightStem } from './question/words.js';

/** A unit with how well it fits a question and why. */
export interface ScoredUnit {
  unit: Unit;
  score: number;
  /** 0 to 1: share of the question's weight that the unit states. */
  coverage: number;
  /** 0 to 1: share of the unit's own key words (a row's label, a short line) that the question explains. */
  explained: number;
  /** Whether the unit does not state the kind of thing that was asked for, such as an amount. */
  lacksKind: boolean;
  /** 0 to 1 for each concept of the question, in its order. */
  matches: number[];
}

/** Kinds of answers that can be told from a text's form. */
const KINDS: AnswerType[] = ['condition', 'amount', 'count', 'time', 'age', 'phone', 'address', 'website'];

/** Types without which a unit can hardly answer, with what is left of its score. */
const WITHOUT_TYPE: Partial<Record<AnswerType, number>> = {
  amount: 0.6,
  count: 0.6,
  time: 0.55,
  age: 0.5,
  phone: 0.4,
  address: 0.4,
  website: 0.5,
  exclusion: 0.85,
  condition: 0.85,
  'yes-no': 0.8,
  definition: 0.7,
  reason: 0.75,
  list: 0.9,
};

/** A telephone number states "phone number" nearly as well as the words do. */
const STATED_BY_KIND = 0.8;
/** How much of the score rests on the question explaining the unit's own words, and on the retrieval's opinion. */
const EXPLAINED_SHARE = 0.3;
const RETRIEVAL_SHARE = 0.12;
/** What a made-up case says is rarely the answer, unless the question is about the case. */
const EXAMPLE_FACTOR = 0.75;
/** A glossary explains words; it answers when the meaning of one is asked. */
const GLOSSARY_FACTOR = 0.8;

/** All units, the best first. */
export function scoreUnits(question: Question, concepts: WeighedConcept[], units: Unit[]): ScoredUnit[] {
  const asksForExample = concepts.some(({ onlyInExamples, salience }) => onlyInExamples && salience >= 0.5);
  const exampleFactor = asksForExample ? 1 : EXAMPLE_FACTOR;
  const glossaryFactor = question.expects.has('definition') ? 1 : GLOSSARY_FACTOR;
  const scored = units.map((unit) => {
    const one = scoreUnit(question, concepts, unit);
    const aside = (unit.isExample ? exampleFactor : 1) * (unit.isGlossary ? glossaryFactor : 1);
    return { ...one, score: one.score * aside };
  });
  return usualCaseFirst(scored.sort((a, b) => b.score - a.score));
}

/** Rows of one group that fit about equally well stand in the order of the document: the usual case comes first. */
function usualCaseFirst(ranked: ScoredUnit[]): ScoredUnit[] {
  const best = ranked[0];
  if (best?.unit.kind !== 'row' || !best.unit.group) return ranked;
  const { group, caption } = best.unit;
  const equals = ranked.filter(
    ({ unit, score, explained }) =>
      unit.kind === 'row' &&
      unit.group === group &&
      unit.caption === caption &&
      score >= best.score * NEARLY &&
      explained === best.explained,
  );
  const first = equals.reduce((a, b) => (b.unit.passage.ordinal < a.unit.passage.ordinal ? b : a), best);
  return [first, ...ranked.filter((one) => one !== first)];
}

const NEARLY = 0.93;

function scoreUnit(question: Question, concepts: WeighedConcept[], unit: Unit): ScoredUnit {
  const text = answerText(unit);
  const missing = question.expects.missingIn(text);
  const matches = concepts.map((concept) => {
    const byKind = concept.kind && question.expects.has(concept.kind) && !missing.includes(concept.kind);
    return Math.max(byKind ? STATED_BY_KIND : 0, matchConcept(concept, unit.fields));
  });
  const asked = sum(concepts.map(({ weight }) => weight));
  const found = sum(concepts.map(({ weight }, i) => weight * matches[i]!));
  const coverage = asked > 0 ? found / asked : 0;
  const explained = explainedShare(unit, concepts);
  const factors = [
    Math.min(1, ...missing.map((type) => WITHOUT_TYPE[type] ?? 1)),
    1 - EXPLAINED_SHARE * (1 - explained),
    1 - RETRIEVAL_SHARE * (1 - unit.passage.score),
  ];
  const score = factors.reduce((product, factor) => product * factor, coverage);
  return {
    unit,
    score,
    coverage,
    explained,
    lacksKind: missing.some((type) => KINDS.includes(type)),
    matches,
  };
}

/** What a unit states, without its label and headings. */
export const answerText = (unit: Unit) =>
  unit.kind === 'row'
    ? unit.cells.map(({ text }) => text).join('\n')
    : [unit.lead, unit.passage.text.slice(unit.span.start, unit.span.end)].join('\n');

/** A sentence longer than this says more than one question asks for, so that its share would mean nothing. */
const SHORT_LINE_WORDS = 8;
const NEUTRAL_SHARE = 0.6;

function explainedShare({ own }: Unit, concepts: Concept[]): number {
  const telling = [...own.positions.keys()].filter((stem) => stem.length > 1 && !isFunctionStem(stem));
  if (telling.length === 0 || telling.length > SHORT_LINE_WORDS) return NEUTRAL_SHARE;
  const explained = new Set(
    concepts.flatMap(({ alternatives }) =>
      alternatives
        .filter((alternative) => containsPhrase(own, alternative.stems))
        .flatMap(({ stems }) => stems),
    ),
  );
  const importance = (stem: string) => (isLightStem(stem) ? 0.3 : 1);
  const all = sum(telling.map(importance));
  return sum(telling.filter((stem) => explained.has(stem)).map(importance)) / all;
}

const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);
