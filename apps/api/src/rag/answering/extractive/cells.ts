import { sentencesOf, type Span } from '../../text/index.js';
import type { AnswerType } from './question/answer-type.js';
import { networkOf, type NetworkSide } from './question/network.js';
import type { Question } from './question/question.js';
import { matchConcept, matchText, type WeighedConcept } from './matching.js';
import { makeField } from './units/field.js';
import type { RowUnit, UnitCell } from './units/units.js';

/** A cell that answers, with the part of its passage's text that is worth quoting. */
export interface ChosenCell {
  cell: UnitCell;
  span: Span;
}

/**
 * The cells of a row that answer: the best one by what the row's label does not say, by the network that is asked
 * for and by the kind of answer. When the question names no network, all columns of the network are given.
 */
export function chooseCells(question: Question, concepts: WeighedConcept[], row: RowUnit): ChosenCell[] {
  const ranked = row.cells
    .map((cell) => ({ cell, score: scoreCell(question, concepts, row, cell) }))
    .sort((a, b) => b.score - a.score);
  const best = ranked[0];
  if (!best) return [];
  const { expects, network } = question;
  const amounts = networkOf(best.cell.header) !== null || (expects.has('yes-no') && isLimits(best.cell));
  const cells = ranked
    .filter(({ cell, score }) => score >= best.score - EQUAL_WITHIN && !isEmpty(cell))
    .map(({ cell }) => cell);
  if (amounts && !network) cells.push(...row.cells.filter(({ header }) => networkOf(header)));
  if (amounts) cells.push(...row.cells.filter((cell) => belongsToAmounts(question, cell)));
  const chosen = row.cells.filter((cell) => cell === best.cell || cells.includes(cell)).slice(0, MOST_CELLS);
  return chosen.map((cell) => ({ cell, span: quoteWithin(question, concepts, cell) }));
}

/** Cells that fit equally well, such as the tiers of a pharmacy, are all given. */
const EQUAL_WITHIN = 0.02;
const MOST_CELLS = 4;

const isLimits = ({ header }: UnitCell) =>
  /\b(limit|exception|exclusion|restriction|important information|requirement|notes?$|remarks?|comments?|conditions?)/i.test(
    header,
  );
const isExplanation = ({ header }: UnitCell) =>
  /\b(why|explanation|what (this|it) means|matters?)\b/i.test(header);
const isEmpty = ({ text }: UnitCell) => /^(none|n\/?a|not applicable|[-–—.]*)\.?$/i.test(text.trim());

/** Whether a cell of limits goes with the amounts: it limits what is covered, or states an amount itself. */
const belongsToAmounts = ({ expects }: Question, cell: UnitCell) =>
  isLimits(cell) && !isEmpty(cell) && (expects.has('yes-no') || /[$€£]\s?\d/.test(cell.text));

/** Kinds of answers that stand in the column of limits rather than in that of amounts. */
const LIMIT_TYPES: AnswerType[] = ['count', 'time', 'condition', 'exclusion'];
const CHECKED_TYPES: AnswerType[] = [...LIMIT_TYPES, 'amount', 'age', 'phone', 'address', 'website'];

function scoreCell(question: Question, concepts: WeighedConcept[], row: RowUnit, cell: UnitCell): number {
  const { expects } = question;
  let score = contentScore(concepts, row, cell) + 0.4 * expects.statedShare(cell.text, CHECKED_TYPES);
  const network = networkOf(cell.header);
  if (question.network && network) score += question.network === network ? 0.5 : -0.7;
  if (isLimits(cell)) score += expects.has(...LIMIT_TYPES) ? 0.3 : -0.3;
  if (isExplanation(cell)) score += expects.has('definition') ? 0.4 : -0.6;
  const payer = payerOf(cell.header);
  if (payer && expects.has('amount')) score += payer === (payerOf(question.text) ?? 'member') ? 0.3 : -0.3;
  if (isEmpty(cell)) score -= 0.5;
  // Among equals the first column states the answer.
  return score - 0.001 * row.cells.indexOf(cell);
}

/** Who pays, in a header or a question. */
function payerOf(text: string): 'member' | 'plan' | null {
  if (
    /\b(you|i|we|member|patient)\b[^.?]{0,30}\b(pay|pays|owe|cost|share)|\byour (share|cost|copay|coinsurance)/i.test(
      text,
    )
  )
    return 'member';
  return /\b(plan|insurance|insurer|policy|benefit|you|we|it)\b[^.?]{0,20}\b(pays?|covers?|reimburses?)\b/i.test(
    text,
  )
    ? 'plan'
    : null;
}

/** How much of what the label leaves open the cell and its header say, as a share of the whole question. */
function contentScore(concepts: WeighedConcept[], row: RowUnit, cell: UnitCell): number {
  const above = row.fields.filter(({ name }) => name !== 'body');
  const fields = [makeField('body', 1, cell.text), makeField('heading', 0.8, cell.header)];
  let open = 0;
  let total = 0;
  for (const concept of concepts) {
    total += concept.weight;
    const left = Math.max(0, 1 - matchConcept(concept, above));
    open += concept.weight * left * matchConcept(concept, fields);
  }
  return total > 0 ? (1.2 * open) / total : 0;
}

/** Cells up to this many characters are quoted whole: they are read at a glance. */
const SHORT_CELL_CHARS = 160;

function quoteWithin(question: Question, concepts: WeighedConcept[], cell: UnitCell): Span {
  const whole = { start: cell.start, end: cell.end };
  const clause = question.network ? networkClause(cell, question.network) : undefined;
  if (clause) return clause;
  if (cell.text.length <= SHORT_CELL_CHARS) return whole;
  const [best] = sentencesOf(cell.text)
    .map((span) => ({ span, score: scoreText(question, concepts, cell.text.slice(span.start, span.end)) }))
    .sort((a, b) => b.score - a.score);
  return best && best.score > 0 ? shift(best.span, cell.start) : whole;
}

/** "For network providers $2,500; for out-of-network providers $4,000": the half that was asked for. */
function networkClause(cell: UnitCell, network: NetworkSide): Span | undefined {
  const clauses = Array.from(cell.text.matchAll(/[^;]+/g), ({ 0: text, index }) => {
    const start = index + text.length - text.trimStart().length;
    return { text, span: { start, end: start + text.trim().length } };
  });
  const sides = clauses.map(({ text }) => networkOf(text));
  if (!sides.includes('in') || !sides.includes('out')) return undefined;
  return shift(clauses[sides.indexOf(network)]!.span, cell.start);
}

/** Share of the question that a text states, and whether it is of the kind that was asked for. */
export function scoreText(question: Question, concepts: WeighedConcept[], text: string): number {
  const kind = 0.4 * question.expects.statedShare(text, CHECKED_TYPES);
  const total = concepts.reduce((sum, { weight }) => sum + weight, 0);
  const found = concepts.reduce((sum, concept) => sum + concept.weight * matchText(concept, text), 0);
  return (total > 0 ? found / total : 0) + kind;
}

const shift = ({ start, end }: Span, by: number): Span => ({ start: start + by, end: end + by });
