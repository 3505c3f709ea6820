import type { Rect } from './geometry.js';
import type { PageContent } from './page-content.js';

/** What a page's own text is worth: `none`, a `little` over a picture of the page, letters that are `garbled`, or enough. */
export type TextWorth = 'none' | 'little' | 'garbled' | 'enough';

/** Whether a page should be read as a picture, decided for each page. A blank page has nothing to read. */
export function worthOfText({
  frames,
  letters,
  garbledLetters,
  pictures,
  shapes,
  size,
}: PageContent): TextWorth {
  if (letters === 0) return pictures.length > 0 || shapes >= DRAWN_LETTERS ? 'none' : 'enough';
  if (garbledLetters > MAX_GARBLED * letters) return 'garbled';
  const words = frames
    .flatMap((frame) => frame.spans)
    .reduce((sum, span) => sum + span.text.trim().split(/\s+/).length, 0);
  const covered = Math.max(0, ...pictures.map((picture) => shareOf(picture, size)));
  return words < FEW_WORDS && covered > SCAN_SHARE ? 'little' : 'enough';
}

/** Of the page, 0 to 1; what sticks out of it does not count. */
function shareOf({ x0, y0, x1, y1 }: Rect, { width, height }: { width: number; height: number }): number {
  const inside = (from: number, to: number, end: number) =>
    Math.max(0, Math.min(to, end) - Math.max(from, 0));
  return (inside(x0, x1, width) * inside(y0, y1, height)) / (width * height);
}

/** Outlines of letters: fewer shapes than these are a frame or a drawing. */
const DRAWN_LETTERS = 100;
/** Bullets of symbol fonts are garbled letters, too. */
const MAX_GARBLED = 0.3;
/** A stamp, a page number or a name that somebody put over a scan. */
const FEW_WORDS = 20;
/** Scans have margins now and then. */
const SCAN_SHARE = 0.6;
