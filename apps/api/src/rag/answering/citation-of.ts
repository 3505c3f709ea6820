import type { Passage } from '../passages/passage.js';
import type { Span } from '../text/index.js';
import type { Citation } from './answer.js';

type CitedPassage = Passage & { documentTitle: string };

/** Cites a span of a passage, with the box of the cell that it stands in where there is one. */
export function citationOf(
  { passage, span }: { passage: CitedPassage; span: Span },
  marker: number,
): Omit<Citation, 'answerStart' | 'answerEnd'> {
  const { id, documentId, documentTitle, page, box, row, text, startMs = null, endMs = null } = passage;
  const cell = row?.cells.find(({ start, end }) => start <= span.start && span.end <= end);
  return {
    marker,
    documentId,
    documentTitle,
    passageId: id,
    page,
    box: cell?.box ?? box,
    startMs,
    endMs,
    quote: text.slice(span.start, span.end),
    sourceStart: span.start,
    sourceEnd: span.end,
  };
}
