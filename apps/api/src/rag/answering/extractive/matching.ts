import type { Concept } from './question/concepts.js';
import { containsPhrase, makeField, type Field } from './units/field.js';
import type { Question } from './question/question.js';
import type { Unit } from './units/units.js';

/** A concept of the question with its weight among the units at hand. */
export interface WeighedConcept extends Concept {
  /** Rare concepts weigh more: inverse document frequency over the units, times salience. */
  weight: number;
  /** Whether it stands anywhere in the units or over them. */
  known: boolean;
  onlyInExamples: boolean;
}

export function weighConcepts(question: Question, units: Unit[]): WeighedConcept[] {
  return question.concepts.map((concept) => {
    const anywhere = units.filter((unit) => matchConcept(concept, unit.fields) > 0);
    // A word of a heading stands over many units and is no commoner for that.
    const stating = anywhere.filter(
      (unit) => matchConcept(concept, unit.fields.filter(isOwnText)) > 0,
    ).length;
    return {
      ...concept,
      weight: concept.salience * Math.log((units.length + 1) / (stating + 0.5)),
      known: anywhere.length > 0,
      onlyInExamples: anywhere.length > 0 && anywhere.every(({ isExample }) => isExample),
    };
  });
}

const isOwnText = ({ name }: Field) => name !== 'heading' && name !== 'context';

/** 0 to 1: the best single way in which the fields state the concept; alternatives never add up. */
export function matchConcept(concept: Concept, fields: Field[]): number {
  let best = 0;
  for (const alternative of concept.alternatives) {
    for (const field of fields) {
      const reach = alternative.weight * field.weight;
      if (reach > best && containsPhrase(field, alternative.stems)) best = reach;
    }
  }
  return best;
}

export const matchText = (concept: Concept, text: string) =>
  matchConcept(concept, [makeField('body', 1, text)]);
