/** A question to a document, with the place that answers it. */
export interface GradedQuestion {
  question: string;
  /** null when the document does not answer, so that the right answer is to say so. */
  expected: ExpectedQuote | null;
}

export interface ExpectedQuote {
  /** Stands in a quote; white space and letter case aside. */
  value: string;
  /** One of them is a part of the row's label, group or caption; for plain text, of the passage or its headings. */
  rows: string[];
  /** A part of the header of the quoted cell; null where any will do. */
  column: string | null;
  /** null where any will do. */
  page: number | null;
}

/**
 * One question a line: `question | value | row | column | page`, `-` where any will do, rows separated by ` or `; a
 * line that is only a question is not answered by the document.
 */
export function parseQuestions(lines: string): GradedQuestion[] {
  return lines
    .trim()
    .split('\n')
    .map((line) => {
      const [question = '', value, row = '', column = '-', page = '-'] = line.split(' | ');
      if (value === undefined) return { question, expected: null };
      const expected = {
        value,
        rows: row.split(' or '),
        column: column === '-' ? null : column,
        page: page === '-' ? null : Number(page),
      };
      return { question, expected };
    });
}
