import type { AnswerBody } from './api-client.js';

/** Marks text for a terminal, or leaves it as it is where colours are not wanted. */
export interface Palette {
  bold(text: string): string;
  dim(text: string): string;
  good(text: string): string;
  bad(text: string): string;
  accent(text: string): string;
}

/** Colours only on a terminal, and not where NO_COLOR is set (https://no-color.org). */
export function createPalette(colours: boolean): Palette {
  const mark = (code: number) => (text: string) => (colours ? `\u001b[${code}m${text}\u001b[0m` : text);
  return { bold: mark(1), dim: mark(2), good: mark(32), bad: mark(31), accent: mark(36) };
}

export interface AnsweredQuestion {
  number: number;
  question: string;
  answer: AnswerBody;
  durationMs: number;
  /** What a right answer contains; shown beside the answer, not graded. */
  expected?: string[];
}

/** A question, its answer, the places that it is quoted from and the time that it took. */
export function renderAnswer(asked: AnsweredQuestion, palette: Palette, width: number): string {
  const { number, question, answer, durationMs, expected } = asked;
  const text = answer.not_in_documents
    ? palette.accent('This is not in the documents.')
    : wrap(answer.answer, width - 3).join('\n   ');
  const footnote = [
    duration(durationMs),
    `by ${answer.served_by}`,
    ...(answer.service_level === 'full' ? [] : [`service level ${answer.service_level}`]),
    ...(expected ? [`expected: ${expected.join(', ')}`] : []),
  ].join(' | ');
  const lines = [
    palette.bold(`${number}. ${question}`),
    `   ${text}`,
    ...answer.citations.flatMap((citation) => renderCitation(citation, palette, width)),
    `   ${palette.dim(footnote)}`,
  ];
  return `${lines.join('\n')}\n`;
}

function renderCitation(
  { marker, document_title, page, time_label, quote }: AnswerBody['citations'][number],
  palette: Palette,
  width: number,
): string[] {
  const place = [document_title, page && `page ${page}`, time_label].filter(Boolean).join(', ');
  const quoted = wrap(`“${quote.replaceAll(/\s+/g, ' ')}”`, width - 7);
  return [
    `   ${palette.accent(`[${marker}]`)} ${place}`,
    ...quoted.map((line) => palette.dim(`       ${line}`)),
  ];
}

/** Breaks text into lines of at most so many characters, between words; its own line breaks stay. */
export function wrap(text: string, width: number): string[] {
  return text.split('\n').flatMap((paragraph) => {
    const lines = [''];
    for (const word of paragraph.split(/\s+/).filter(Boolean)) {
      const last = lines.at(-1)!;
      if (last && last.length + 1 + word.length > width) lines.push(word);
      else lines[lines.length - 1] = last ? `${last} ${word}` : word;
    }
    return lines;
  });
}

/** `123` → `123 ms`, `1234` → `1.23 s`. */
export function duration(durationMs: number): string {
  if (durationMs < 999.5) return `${Math.round(durationMs)} ms`;
  return `${(durationMs / 1_000).toFixed(durationMs < 9_995 ? 2 : 1)} s`;
}

/** Two columns, the first as wide as its widest entry. */
export function renderFacts(facts: [name: string, value: string][]): string {
  const width = Math.max(...facts.map(([name]) => name.length));
  return facts.map(([name, value]) => `  ${name.padEnd(width)}  ${value}\n`).join('');
}
