import type { ExtractiveAnswer } from '../apps/api/src/rag/answering/extractive/index.js';
import type { Passage } from '../apps/api/src/rag/index.js';
import type { ExpectedQuote, GradedQuestion } from './graded-question.js';

/**
 * `right`: the answer quotes the value from the right row, column and page, and quotes no other row.
 * `among`: it is unsure and the value is among the quotes that it shows. `refused` is right for an unanswered question.
 */
export type Verdict = 'right' | 'among' | 'wrong' | 'refused';

export interface Graded {
  question: GradedQuestion;
  answer: ExtractiveAnswer;
  verdict: Verdict;
  passed: boolean;
}

export function grade(question: GradedQuestion, answer: ExtractiveAnswer, passages: Passage[]): Graded {
  const verdict = verdictOf(question.expected, answer, passages);
  const passed = question.expected ? verdict === 'right' : verdict === 'refused';
  return { question, answer, verdict, passed };
}

function verdictOf(expected: ExpectedQuote | null, answer: ExtractiveAnswer, passages: Passage[]): Verdict {
  if (answer.notInDocuments) return 'refused';
  if (!expected) return 'wrong';
  const places = answer.citations.map((citation) => {
    const passage = passages.find(({ id }) => id === citation.passageId)!;
    const cell = passage.row?.cells.find(
      ({ start, end }) => start <= citation.sourceStart && citation.sourceEnd <= end,
    );
    const column = cell?.header ?? '';
    return { ...citation, passage, column };
  });
  const inRow = places.filter(
    ({ passage, page }) =>
      (expected.page === null || page === expected.page) &&
      expected.rows.some((row) => stands(row, rowOf(passage))),
  );
  const hit = inRow.some(
    ({ quote, column }) =>
      stands(expected.value, quote) && (expected.column === null || columnIs(expected.column, column)),
  );
  if (!hit) return 'wrong';
  return inRow.length === places.length ? 'right' : 'among';
}

const rowOf = ({ row, text, headingPath }: Passage) =>
  row ? [row.caption, row.group, row.label].join('\n') : [...headingPath, text].join('\n');

const squeeze = (text: string) => text.toLowerCase().replaceAll('’', "'").replace(/\s+/g, '');
const stands = (part: string, whole: string) => squeeze(whole).includes(squeeze(part));

/** "Network Provider" is not "Out-of-Network Provider". */
const columnIs = (expected: string, header: string) =>
  stands(expected, header) && (/out-of/i.test(expected) || !/out-of/i.test(header));
