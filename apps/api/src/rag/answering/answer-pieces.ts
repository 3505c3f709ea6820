import type { Answer, Citation } from './answer.js';

/** A step in the writing of an answer. */
export type AnswerPiece = { type: 'text'; text: string } | { type: 'citation'; citation: Citation };

/**
 * An answer in the order in which it is written: a citation comes right before the words that rest on it. An answer
 * that was streamed and the same answer read back later give the same order, whatever pieces the text was cut into.
 */
export function piecesOf({ text, citations }: Pick<Answer, 'text' | 'citations'>): AnswerPiece[] {
  return interleave(text, 0, citations);
}

/** The pieces of a part of an answer's text that begins at `offset`, with the citations that belong to that part. */
export function interleave(part: string, offset: number, citations: readonly Citation[]): AnswerPiece[] {
  const pieces: AnswerPiece[] = [];
  let at = 0;
  const textUntil = (end: number) => {
    if (end > at) pieces.push({ type: 'text', text: part.slice(at, end) });
    at = Math.max(at, end);
  };
  for (const citation of [...citations].sort(byPlace)) {
    textUntil(citation.answerStart - offset);
    pieces.push({ type: 'citation', citation });
  }
  textUntil(part.length);
  return pieces;
}

const byPlace = (a: Citation, b: Citation) => a.answerStart - b.answerStart || a.marker - b.marker;
