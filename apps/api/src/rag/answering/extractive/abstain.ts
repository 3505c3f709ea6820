import type { WeighedConcept } from './matching.js';
import { answerText, type ScoredUnit } from './scoring.js';
import type { Unit } from './units/units.js';

/** What tells how likely the best unit answers the question; each 0 to 1. */
export interface Evidence {
  /** Share of the question's weight that the unit states, in its own words or under its headings. */
  coverage: number;
  /** How far the best unit is ahead of the best one that says something else. */
  margin: number;
  /** Share of the unit's own words that the question explains. */
  explained: number;
  /** Share of the question's weight in its heaviest concept that the unit does not state. */
  missing: number;
  /** Share of the question's weight in telling concepts that stand nowhere in the documents. */
  unknown: number;
  /** Number of telling concepts that the unit states, up to three, as thirds. */
  stated: number;
  /** Number of telling concepts that it does not state, up to three, as thirds. */
  unstated: number;
  row: number;
}

export function evidenceOf(concepts: WeighedConcept[], ranked: ScoredUnit[]): Evidence {
  const best = ranked[0]!;
  const second = ranked.find(({ unit }) => unit.passage !== best.unit.passage && !agree(best.unit, unit));
  const total = concepts.reduce((sum, { weight }) => sum + weight, 0);
  const share = (weight: number) => (total > 0 ? weight / total : 0);
  const gaps = concepts.map(({ weight }, i) => weight * Math.max(0, 1 - best.matches[i]! / STATED_FROM));
  const unknown = concepts.filter((concept) => !concept.known && isTelling(concept));
  const stated = concepts.filter((concept, i) => isTelling(concept) && best.matches[i]! >= STATED_FROM);
  return {
    coverage: best.coverage,
    margin: best.score > 0 ? (best.score - (second?.score ?? 0)) / best.score : 0,
    explained: best.explained,
    missing: share(Math.max(0, ...gaps)),
    unknown: share(unknown.reduce((sum, { weight }) => sum + weight, 0)),
    stated: Math.min(3, stated.length) / 3,
    unstated: Math.min(3, concepts.filter(isTelling).length - stated.length) / 3,
    row: best.unit.kind === 'row' ? 1 : 0,
  };
}

/** Whether two units state the same figures; those without figures are taken to differ. */
function agree(one: Unit, other: Unit): boolean {
  const figures = figuresIn(one);
  return figures.size > 0 && [...figuresIn(other)].some((figure) => figures.has(figure));
}

const figuresIn = (unit: Unit) => new Set(answerText(unit).match(/[$€£]?\d[\d,.]*\d%?|[$€£]?\d%?/g));

const isTelling = ({ salience }: WeighedConcept) => salience >= TELLING_SALIENCE;
const TELLING_SALIENCE = 0.5;
/** A match from here on, such as a synonym in a heading, counts as stated. */
const STATED_FROM = 0.6;

/** Fitted by `node dist/bench/calibrate-extractive.js` on the development questions about two plan documents. */
const BIAS = -2.47;
const WEIGHTS: Record<keyof Evidence, number> = {
  coverage: 1.5,
  margin: 1.66,
  explained: 1.65,
  missing: -2.1,
  unknown: -0.84,
  stated: 1.01,
  unstated: -0.34,
  row: 0.95,
};

/**
 * A unit that does not state the kind of thing that was asked for (an amount, a time) is about the topic, but the
 * answer to none of twenty such development questions.
 */
const WITHOUT_KIND_AT_MOST = 0.25;

/** A question of everyday words only ("What does it cost?") names no topic that an answer could be checked against. */
const WITHOUT_TOPIC_AT_MOST = 0.45;

/** 0 to 1: how likely the best unit answers. */
export function groundingOf(concepts: WeighedConcept[], ranked: ScoredUnit[]): number {
  const evidence = evidenceOf(concepts, ranked);
  const keys = Object.keys(WEIGHTS) as Array<keyof Evidence>;
  const z = keys.reduce((sum, key) => sum + WEIGHTS[key] * evidence[key], BIAS);
  const sure = 1 / (1 + Math.exp(-z));
  if (ranked[0]!.lacksKind) return Math.min(sure, WITHOUT_KIND_AT_MOST);
  return concepts.some(isTelling) ? sure : Math.min(sure, WITHOUT_TOPIC_AT_MOST);
}
