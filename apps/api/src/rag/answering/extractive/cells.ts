import { sentencesOf, type Span } from '../../text/index.js';
import { states, type AnswerType } from './answer-type.js';
import type { Question } from './question.js';
import { matchConcept, matchText, type WeighedConcept } from './scoring.js';
import { makeField, type RowUnit, type UnitCell } from './units.js';

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
  const best = ranked[0]?.cell;
  if (!best) return [];
  const cells = networkOf(best.header) && !question.network ? networkCells(row) : [best];
  if (question.types.has('yes-no') && networkOf(best.header))
    cells.push(...telling(row.cells.filter(isLimits)));
  return cells.map((cell) => ({ cell, span: quoteWithin(question, concepts, cell) }));
}

/** Which side of a provider network a header or clause is about. */
export function networkOf(text: string): 'in' | 'out' | null {
  if (/\b(out[- ]of[- ]network|non[- ]?(network|participating|preferred))/i.test(text)) return 'out';
  return /\b(in[- ]network|network|participating|preferred) (provider|pharmac|benefit|doctor|hospital)|\bin[- ]network\b/i.test(
    text,
  )
    ? 'in'
    : null;
}

const isLimits = ({ header }: UnitCell) =>
  /\b(limit|exception|exclusion|restriction|important information|requirement|notes?$|remarks?|comments?|conditions?)/i.test(
    header,
  );
const isExplanation = ({ header }: UnitCell) =>
  /\b(why|explanation|what (this|it) means|matters?)\b/i.test(header);
const isEmpty = ({ text }: UnitCell) => /^(none|n\/?a|not applicable|[-–—.]*)\.?$/i.test(text.trim());
const telling = (cells: UnitCell[]) => cells.filter((cell) => !isEmpty(cell));

const networkCells = (row: RowUnit) => row.cells.filter(({ header }) => networkOf(header));

/** Kinds of answers that stand in the column of limits rather than in that of amounts. */
const LIMIT_TYPES: AnswerType[] = ['count', 'time', 'condition', 'exclusion'];
const CHECKED_TYPES: AnswerType[] = ['amount', 'count', 'time', 'contact', 'condition', 'exclusion'];

function scoreCell(question: Question, concepts: WeighedConcept[], row: RowUnit, cell: UnitCell): number {
  let score = contentScore(concepts, row, cell);
  const asked = CHECKED_TYPES.filter((type) => question.types.has(type));
  if (asked.length > 0)
    score += (0.4 * asked.filter((type) => states(type, cell.text)).length) / asked.length;
  const network = networkOf(cell.header);
  if (question.network && network) score += question.network === network ? 0.5 : -0.7;
  if (isLimits(cell)) score += LIMIT_TYPES.some((type) => question.types.has(type)) ? 0.3 : -0.3;
  if (isExplanation(cell)) score += question.types.has('definition') ? 0.4 : -0.4;
  if (isEmpty(cell)) score -= 0.5;
  // Among equals the first column states the answer.
  return score - 0.001 * row.cells.indexOf(cell);
}

/** How much of what the label leaves open the cell and its header say, as a share of the whole question. */
function contentScore(concepts: WeighedConcept[], row: RowUnit, cell: UnitCell): number {
  const above = row.fields.filter(({ name }) => name === 'label' || name === 'heading');
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
function networkClause(cell: UnitCell, network: 'in' | 'out'): Span | undefined {
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
  const asked = CHECKED_TYPES.filter((type) => question.types.has(type));
  const kind = asked.some((type) => states(type, text)) ? 0.4 : 0;
  const total = concepts.reduce((sum, { weight }) => sum + weight, 0);
  const found = concepts.reduce((sum, concept) => sum + concept.weight * matchText(concept, text), 0);
  return (total > 0 ? found / total : 0) + kind;
}

const shift = ({ start, end }: Span, by: number): Span => ({ start: start + by, end: end + by });
