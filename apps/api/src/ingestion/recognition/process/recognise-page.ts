import type { OcrLine, PlacedText } from '../ocr-engine.js';
import { drawnLines, straightened, withoutLines } from './drawn-lines.js';
import { type GrayImage, toPgm, turned } from './gray-image.js';
import type { Tesseract, TesseractLine } from './tesseract.js';
import { directionOf } from './text-direction.js';

type Turn = PlacedText['turn'];

/**
 * Reads a page whichever way up it is. Which way its lines run can be seen; whether they stand on their heads shows
 * when they are read, so a page that reads badly is turned and read once more.
 */
export async function recognisePage(
  tesseract: Pick<Tesseract, 'recognise'>,
  image: GrayImage,
  dpi: number | null,
): Promise<PlacedText> {
  const cleared = withoutLines(image);
  const { blank, horizontal } = directionOf(cleared);
  let best: PlacedText = { kind: 'placed', ...sizeOf(image), lines: [], drawn: [], turn: 0, skew: 0 };
  if (blank) return best;
  for (const [attempt, turn] of turnsToTry(horizontal).entries()) {
    // What runs across the other way is a dark edge or a drawing where there is hardly any text.
    if (attempt >= 2 && realWords(best).length >= FEW_WORDS) break;
    const upright = turnedBack(cleared, turn);
    const pgm = toPgm(upright);
    for (const straighten of [true, false]) {
      const { lines, skew } = await tesseract.recognise(pgm, { dpi, straighten });
      if (isSideways(lines)) break;
      const read: PlacedText = {
        kind: 'placed',
        ...sizeOf(upright),
        lines: lines.map(lineOf).filter(({ words }) => words.length > 0),
        drawn: [],
        turn,
        skew,
      };
      if (sureness(read) > sureness(best)) best = read;
      // A page with a single word and a dark edge looks slanted.
      if (readsWell(read) || skew === 0 || realWords(read).length >= FEW_WORDS) break;
    }
    if (readsWell(best)) break;
  }
  const upright = straightened(turnedBack(image, best.turn), best.skew);
  return { ...best, drawn: drawnLines(upright) };
}

function turnsToTry(horizontal: number): Turn[] {
  if (horizontal > CLEAR) return [0, 2, 1, 3];
  return horizontal < 1 / CLEAR ? [1, 3, 0, 2] : [0, 1, 3, 2];
}

const turnedBack = (image: GrayImage, turn: Turn) => turned(image, ((4 - turn) % 4) as Turn);

const sizeOf = ({ width, height }: GrayImage) => ({ width, height });

function lineOf({ words, bbox, baseline, rowAttributes }: TesseractLine): OcrLine {
  const { x0, y0, x1, y1 } = baseline;
  // A baseline is told by two points, which need not be the ends of the line.
  const slope = x1 > x0 ? (y1 - y0) / (x1 - x0) : 0;
  const height = rowAttributes.rowHeight || bbox.y1 - bbox.y0;
  return {
    words: words
      .filter(({ text }) => text.trim() !== '')
      .map(({ text, confidence, bbox: rect }) => ({ text, confidence: confidence / 100, rect })),
    size: height / ROW_HEIGHT,
    baseline: { left: y0 + slope * (bbox.x0 - x0), right: y0 + slope * (bbox.x1 - x0) },
  };
}

/** Tesseract reads some text that runs from top to bottom; but its lines are none that can be put together. */
function isSideways(lines: readonly TesseractLine[]): boolean {
  const long = lines.flatMap(({ words }) => words).filter(({ text }) => text.length >= LONG_WORD);
  const upright = long.filter(({ bbox }) => bbox.x1 - bbox.x0 > bbox.y1 - bbox.y0);
  return upright.length * 2 < long.length;
}

/** Words of letters and digits; specks are read as anything. */
const realWords = ({ lines }: PlacedText) =>
  lines.flatMap(({ words }) => words).filter(({ text }) => /[\p{L}\p{N}]{2}/u.test(text));

/** Adds up what is more likely right than wrong: a whole page of guesses is worth less than two words. */
const sureness = (text: PlacedText) =>
  realWords(text).reduce((sum, { confidence }) => sum + Math.max(0, confidence - 0.5), 0);

function readsWell(text: PlacedText): boolean {
  const words = realWords(text);
  const total = words.reduce((sum, { confidence }) => sum + confidence, 0);
  return words.length > 0 && total / words.length >= GOOD_CONFIDENCE;
}

/** In letters: words of so many are wider than high in any print. */
const LONG_WORD = 4;
/** The look of a page with fewer says little. */
const FEW_WORDS = 20;
/** Lines that run one way change the darkness at least so much more than columns do. */
const CLEAR = 1.5;
/** Upside down, hardly a word has it; right way up, even bad copies do. */
const GOOD_CONFIDENCE = 0.65;
/** A row of letters with ascenders and descenders, in font sizes. */
const ROW_HEIGHT = 0.92;
