import type { Frame, Span } from '../parsing/pdf/frame.js';
import { median } from '../parsing/pdf/geometry.js';
import type { OcrLine, PlacedText } from './ocr-engine.js';

/**
 * Recognised words as if a PDF had printed them, so that the same geometry reads both. What is measured in a picture
 * is a little different for every line, so sizes and lines are set straight first.
 */
export function frameOf(text: PlacedText, page: number): Frame {
  const body = bodySize(text.lines);
  // Nobody knows how large the page was, but most print is about this high.
  const points = BODY_POINTS / body;
  const frame: Frame = {
    page,
    turn: 0,
    width: text.width * points,
    height: text.height * points,
    spans: [],
    rules: text.drawn.map(({ x0, y0, x1, y1 }) => ({
      x0: x0 * points,
      y0: y0 * points,
      x1: x1 * points,
      y1: y1 * points,
    })),
    fills: [],
  };
  for (const line of text.lines)
    frame.spans.push(...spansOf(line, usualSize(line.size, body), points, frame));
  return frame;
}

/** The height in which most letters are printed, in pixels; 1 when there are none. */
function bodySize(lines: readonly OcrLine[]): number {
  const lettersOf = ({ words }: OcrLine) => words.reduce((sum, { text }) => sum + text.length, 0);
  return median(lines.flatMap((line) => Array<number>(lettersOf(line)).fill(line.size))) || 1;
}

/** What differs by less than a sixth does so in the measuring only; other sizes are rounded to steps of a fifth. */
function usualSize(size: number, body: number): number {
  const ratio = Math.log(size / body);
  if (Math.abs(ratio) < Math.log(SAME_SIZE)) return body;
  const steps = Math.round(ratio / Math.log(SIZE_STEP)) || Math.sign(ratio);
  return body * SIZE_STEP ** steps;
}

function spansOf({ words, baseline }: OcrLine, size: number, points: number, frame: Frame): Span[] {
  const y = ((baseline.left + baseline.right) / 2) * points;
  const height = size * points;
  return words.map(({ text, rect }, i) => ({
    text,
    rect: {
      x0: rect.x0 * points,
      y0: y - ASCENT * height,
      x1: rect.x1 * points,
      y1: y + DESCENT * height,
    },
    baseline: y,
    size: height,
    bold: false,
    contentId: null,
    artifact: false,
    spaceBefore: i > 0,
    frame,
  }));
}

const BODY_POINTS = 10;
const SAME_SIZE = 1.17;
const SIZE_STEP = 1.2;
/** Of the font size; as for the text of a PDF. */
const ASCENT = 0.78;
const DESCENT = 0.22;
