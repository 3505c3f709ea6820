import type { Question } from './question.js';
import type { ScoredUnit, WeighedConcept } from './scoring.js';

/** What tells how likely the best unit answers the question; each about 0 to 1. */
export interface Evidence {
  score: number;
  coverage: number;
  /** How far the best is ahead of the best other answer. */
  margin: number;
  labelExplained: number;
  statesType: number;
  /** The weight of the heaviest concept that the best unit does not state, as a share of all. */
  missing: number;
  /** Whether a telling concept of the question stands nowhere in the documents. */
  unknown: number;
  row: number;
}

export function evidenceOf(question: Question, concepts: WeighedConcept[], ranked: ScoredUnit[]): Evidence {
  const best = ranked[0]!;
  const second = ranked.find((other) => other.unit.passage !== best.unit.passage);
  const total = concepts.reduce((sum, { weight }) => sum + weight, 0);
  const gaps = concepts.map(({ weight }, i) => weight * (1 - Math.min(1, best.matches[i]! / 0.6)));
  const unknowns = concepts.filter(({ frequency, salience }) => frequency === 0 && salience >= 0.5);
  return {
    score: Math.min(1, best.score),
    coverage: best.coverage,
    margin: best.score > 0 ? (best.score - (second?.score ?? 0)) / best.score : 0,
    labelExplained: best.labelExplained,
    statesType: best.statesType ? 1 : 0,
    missing: total > 0 ? Math.max(0, ...gaps) / total : 1,
    unknown: total > 0 ? unknowns.reduce((sum, { weight }) => sum + weight, 0) / total : 1,
    row: best.unit.kind === 'row' ? 1 : 0,
  };
}

const BIAS = -2;
const WEIGHTS: Record<keyof Evidence, number> = {
  score: 3,
  coverage: 3,
  margin: 1,
  labelExplained: 1,
  statesType: 0.5,
  missing: -3,
  unknown: -3,
  row: 0,
};

/** 0 to 1: how likely the best unit answers. */
export function grounding(evidence: Evidence): number {
  const keys = Object.keys(WEIGHTS) as Array<keyof Evidence>;
  const z = keys.reduce((sum, key) => sum + WEIGHTS[key] * evidence[key], BIAS);
  return 1 / (1 + Math.exp(-z));
}
