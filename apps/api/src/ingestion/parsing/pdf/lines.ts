import { cleanText } from '../clean-text.js';
import type { Line } from './draft.js';
import { median, overlapY, union } from './geometry.js';
import { boxOf, type Span } from './frame.js';

/** Lines of spans that are already in reading order: a new one starts where the text moves down or back. */
export function linesInOrder(spans: readonly Span[]): Line[] {
  const lines: Span[][] = [];
  for (const span of spans) {
    const current = lines.at(-1);
    const previous = current?.at(-1);
    if (current && previous && continuesLine(previous, span)) current.push(span);
    else lines.push([span]);
  }
  return lines.map(toLine).filter((line) => line.text !== '');
}

/** One line of spans from left to right. */
export function toLine(spans: readonly Span[]): Line {
  const first = spans[0]!;
  const rect = union(spans.map((span) => span.rect));
  const letters = spans.reduce((sum, span) => sum + span.text.length, 0);
  const boldLetters = spans.reduce((sum, span) => sum + (span.bold ? span.text.length : 0), 0);
  return {
    text: withoutLeaders(cleanText(joinSpans(spans))),
    rect,
    box: boxOf(rect, first.frame),
    page: first.frame.page,
    size: median(spans.flatMap((span) => Array<number>(Math.min(span.text.length, 40)).fill(span.size))),
    bold: boldLetters > letters * 0.9,
  };
}

/** Pieces of one line as a whole. */
export function toJoinedLine(pieces: readonly Line[]): Line {
  const [first] = pieces;
  if (pieces.length === 1) return first!;
  const rect = union(pieces.map((piece) => piece.rect));
  const boxes = pieces.map((piece) => piece.box);
  const x = Math.min(...boxes.map((box) => box.x));
  const y = Math.min(...boxes.map((box) => box.y));
  return {
    ...first!,
    text: withoutLeaders(pieces.map((piece) => piece.text).join(' ')),
    rect,
    box: {
      x,
      y,
      width: Math.max(...boxes.map((box) => box.x + box.width)) - x,
      height: Math.max(...boxes.map((box) => box.y + box.height)) - y,
    },
    bold: pieces.every((piece) => piece.bold),
  };
}

function joinSpans(spans: readonly Span[]): string {
  let text = '';
  let previous: Span | undefined;
  for (const span of spans) {
    if (previous && (span.spaceBefore || isGap(previous, span))) text += ' ';
    // Fonts name their hyphen glyph "soft hyphen" although it is drawn: what is seen is a hyphen.
    text += span.text.replaceAll('\u00AD', '-');
    previous = span;
  }
  return text;
}

/** A space is about a quarter of the font size wide; kerning moves letters by far less than half of that. */
const isGap = (left: Span, right: Span) => right.rect.x0 - left.rect.x1 > 0.12 * right.size;

function continuesLine(previous: Span, span: Span): boolean {
  if (previous.frame !== span.frame) return false;
  const smaller = Math.min(previous.size, span.size);
  return (
    overlapY(previous.rect, span.rect) > 0.5 * smaller && span.rect.x0 > previous.rect.x0 - 0.1 * smaller
  );
}

/** Dots that lead the eye to a page number. */
const withoutLeaders = (text: string) => text.replace(/\s?(?:\.\s?){4,}/g, ' ').trim();
