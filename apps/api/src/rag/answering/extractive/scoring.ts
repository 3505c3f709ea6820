import { states, type AnswerType } from './answer-type.js';
import type { Concept, ConceptAlternative } from './concepts.js';
import type { Question } from './question.js';
import { makeField, type Field, type Unit } from './units.js';

/** A unit with how well it fits a question and why. */
export interface ScoredUnit {
  unit: Unit;
  score: number;
  /** 0 to 1: share of the question's weight that the unit states. */
  coverage: number;
  /** 0 to 1: share of the label's words that the question explains. */
  labelExplained: number;
  /** Whether the unit states the kind of thing that was asked for. */
  statesType: boolean;
  /** 0 to 1 for each concept of the question, in its order. */
  matches: number[];
}

/** A concept of the question with its weight among the units at hand. */
export interface WeighedConcept extends Concept {
  /** Rare concepts weigh more (inverse document frequency over units, times salience). */
  weight: number;
  /** Number of units that state it. */
  frequency: number;
}

/** Types without which a unit can hardly answer, with what is left of its score. */
const WITHOUT_TYPE: Partial<Record<AnswerType, number>> = {
  amount: 0.6,
  count: 0.6,
  time: 0.55,
  contact: 0.4,
  exclusion: 0.85,
  condition: 0.85,
  definition: 0.8,
};

const RETRIEVAL_SHARE = 0.15;
const LABEL_SHARE = 0.12;

export function weighConcepts(question: Question, units: Unit[]): WeighedConcept[] {
  return question.concepts.map((concept) => {
    const frequency = units.filter((unit) => matchConcept(concept, unit.fields) > 0).length;
    return {
      ...concept,
      frequency,
      weight: concept.salience * Math.log((units.length + 1) / (frequency + 0.5)),
    };
  });
}

export function scoreUnits(question: Question, concepts: WeighedConcept[], units: Unit[]): ScoredUnit[] {
  return units
    .map((unit) => scoreUnit(question, concepts, unit))
    .sort((a, b) => b.score - a.score || a.unit.passage.ordinal - b.unit.passage.ordinal);
}

function scoreUnit(question: Question, concepts: WeighedConcept[], unit: Unit): ScoredUnit {
  const matches = concepts.map((concept) => matchConcept(concept, unit.fields));
  const asked = sum(concepts.map(({ weight }) => weight));
  const found = sum(concepts.map(({ weight }, i) => weight * matches[i]!));
  const coverage = asked > 0 ? found / asked : 0;
  const labelExplained = explainedShare(unit, concepts);
  const text = answerText(unit);
  const missing = [...question.types].filter((type) => !states(type, text));
  const typeFactor = Math.min(1, ...missing.map((type) => WITHOUT_TYPE[type] ?? 1));
  const score =
    coverage * typeFactor +
    RETRIEVAL_SHARE * unit.passage.score * coverage +
    LABEL_SHARE * labelExplained * coverage;
  return { unit, score, coverage, labelExplained, statesType: missing.length === 0, matches };
}

const answerText = (unit: Unit) =>
  unit.kind === 'row'
    ? unit.cells.map(({ text }) => text).join('\n')
    : unit.passage.text.slice(unit.span.start, unit.span.end);

/** 0 to 1: the best single way in which the fields state the concept; alternatives never add up. */
export function matchConcept(concept: Concept, fields: Field[]): number {
  let best = 0;
  for (const alternative of concept.alternatives) {
    for (const field of fields) {
      const reach = alternative.weight * field.weight;
      if (reach > best && containsPhrase(field, alternative)) best = reach;
    }
  }
  return best;
}

export const matchText = (concept: Concept, text: string) =>
  matchConcept(concept, [makeField('body', 1, text)]);

/** Whether the words stand in the field in their order, with at most one other word between two of them. */
export function containsPhrase({ positions, stems }: Field, phrase: ConceptAlternative): boolean {
  const [first, ...rest] = phrase.stems;
  return (positions.get(first!) ?? []).some((start) => {
    let at = start;
    return rest.every((stem) => {
      if (stems[at + 1] === stem) at += 1;
      else if (stems[at + 2] === stem) at += 2;
      else return false;
      return true;
    });
  });
}

function explainedShare(unit: Unit, concepts: Concept[]): number {
  const label = unit.fields.find(({ name }) => name === 'label');
  if (!label) return 0;
  const explained = new Set(
    concepts.flatMap(({ alternatives }) =>
      alternatives.filter((alternative) => containsPhrase(label, alternative)).flatMap(({ stems }) => stems),
    ),
  );
  const telling = [...label.positions.keys()].filter((stem) => stem.length > 2);
  return telling.length > 0 ? telling.filter((stem) => explained.has(stem)).length / telling.length : 0;
}

const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);
