import type { RetrievedPassage } from '../../retrieval/retriever.js';
import type { Answer } from '../answer.js';
import { groundingOf } from './abstain.js';
import { chooseCells } from './cells.js';
import { composeAnswer, composeUnsure, NOT_IN_DOCUMENTS, type Quote } from './compose.js';
import { analyzeQuestion, type Question } from './question/question.js';
import { matchText, weighConcepts, type WeighedConcept } from './matching.js';
import { scoreUnits, type ScoredUnit } from './scoring.js';
import { unitsOf, type RowUnit, type SentenceUnit } from './units/units.js';

export type ExtractiveAnswer = Pick<Answer, 'text' | 'notInDocuments' | 'grounding' | 'citations'>;

export interface ExtractRequest {
  question: string;
  /** What retrieval found, or all passages of a small document, in any order. */
  passages: RetrievedPassage[];
  /** Below this grounding the documents count as silent. */
  abstainBelow?: number;
}

const ABSTAIN_BELOW = 0.4;
/** Between the two, three quotes are shown instead of one answer. */
const UNSURE_BELOW = 0.5;
const UNSURE_QUOTES = 3;

/**
 * Answers with what the passages say, word for word: cells of the table row, or the sentence, that fits the question
 * best. Every quote is `passage.text.slice(sourceStart, sourceEnd)` and stands, unchanged, at
 * `text.slice(answerStart, answerEnd)`. Pure; takes no model.
 */
export function extractAnswer({
  question,
  passages,
  abstainBelow = ABSTAIN_BELOW,
}: ExtractRequest): ExtractiveAnswer {
  const { asked, concepts, ranked } = rankUnits(question, passages);
  if (ranked.length === 0) return silence(0);
  const sure = groundingOf(concepts, ranked);
  if (sure < abstainBelow) return silence(sure);
  const quotes = ranked.slice(0, UNSURE_QUOTES).map((scored) => quotesOf(asked, concepts, scored));
  const composed =
    sure >= UNSURE_BELOW ? composeAnswer(quotes[0]!) : composeUnsure(quotes.map(([first]) => first!));
  return { ...composed, notInDocuments: false, grounding: sure };
}

/** The units that have anything to do with the question, the best first, and how the question was understood. */
export function rankUnits(
  question: string,
  passages: RetrievedPassage[],
): { asked: Question; concepts: WeighedConcept[]; ranked: ScoredUnit[] } {
  const units = unitsOf(passages);
  const asked = analyzeQuestion(question, units);
  const concepts = weighConcepts(asked, units);
  const ranked = scoreUnits(asked, concepts, units).filter(({ score }) => score > 0);
  return { asked, concepts, ranked };
}

const silence = (sure: number): ExtractiveAnswer => ({
  text: NOT_IN_DOCUMENTS,
  notInDocuments: true,
  grounding: sure,
  citations: [],
});

/** The places of a unit that answer the question. */
export function quotesOf(question: Question, concepts: WeighedConcept[], { unit }: ScoredUnit): Quote[] {
  if (unit.kind === 'sentence')
    return [{ passage: unit.passage, span: unit.span, label: sentenceLabel(unit), column: '' }];
  const label = rowLabel(unit, concepts);
  return chooseCells(question, concepts, unit).map(({ cell, span }) => ({
    passage: cell.passage,
    span,
    label,
    column: lastHeader(cell.header),
  }));
}

const sentenceLabel = ({ lead, passage }: SentenceUnit) => lead || (passage.headingPath.at(-1) ?? '');

/** The row's label, after its group or the table's caption where those say what the label does not. */
function rowLabel({ label, group, caption }: RowUnit, concepts: WeighedConcept[]): string {
  if (!label) return group || caption;
  const above = [group, caption].find((title) =>
    concepts.some(
      (concept) => concept.salience >= 0.5 && matchText(concept, title) > matchText(concept, label),
    ),
  );
  return above ? `${above} — ${label}` : label;
}

/** "What You Will Pay > Network Provider (You will pay the least)" is read as "Network Provider". */
const lastHeader = (path: string) => (path.split(' > ').at(-1) ?? '').replace(/\s*\([^)]*\)$/, '');
