import type { Rect } from '../../parsing/pdf/geometry.js';
import { type GrayImage, turned } from './gray-image.js';

/** Lines that are drawn on a page from side to side or from top to bottom, such as the borders of a table, in pixels. */
export function drawnLines(image: GrayImage): Rect[] {
  const { across, down } = minLengths(image);
  const horizontal = horizontalLines(image, across);
  // A quarter turn makes vertical lines horizontal: what was at (x, y) is at (height - 1 - y, x).
  const vertical = horizontalLines(turned(image, 1), down).map(({ x0, y0, x1, y1 }) => ({
    x0: y0,
    y0: image.height - x1,
    x1: y1,
    y1: image.height - x0,
  }));
  const lines = [...horizontal, ...vertical];
  // A photograph or a pattern is no table.
  return lines.length > MAX_LINES ? [] : lines;
}

/**
 * The picture without long lines: Tesseract takes rows between them for drawings, and leaves them out. Short pieces are
 * found as well, which a slanted line is made of.
 */
export function withoutLines(image: GrayImage): GrayImage {
  const { across, down } = minLengths(image);
  return turned(withoutHorizontalLines(turned(withoutHorizontalLines(image, across), 1), down), 3);
}

function minLengths({ width, height }: GrayImage): { across: number; down: number } {
  const longSide = Math.max(width, height);
  return { across: Math.max(SHORTEST, MIN_ACROSS * longSide), down: Math.max(SHORTEST, MIN_DOWN * longSide) };
}

function withoutHorizontalLines(image: GrayImage, minLength: number): GrayImage {
  const { width, height, pixels } = image;
  const cleared = Uint8Array.from(pixels);
  for (let y = REACH; y < height - REACH; y += 1)
    for (const { x0, x1 } of runsOf(image, y, minLength))
      // With the pale pixels at its edges; what is beyond them is the ground.
      for (let row = y - EDGE; row <= y + EDGE; row += 1)
        for (let x = x0; x < x1; x += 1)
          cleared[row * width + x] = Math.max(
            pixels[(y - REACH) * width + x]!,
            pixels[(y + REACH) * width + x]!,
          );
  return { width, height, pixels: cleared };
}

/** The picture after its lines, which were off the horizontal by so much (in radians, clockwise), are set straight. */
export function straightened({ width, height, pixels }: GrayImage, skew: number): GrayImage {
  if (skew === 0) return { width, height, pixels };
  const [cos, sin] = [Math.cos(skew), Math.sin(skew)];
  const result = new Uint8Array(pixels.length).fill(255);
  for (let y = 0; y < height; y += 1)
    for (let x = 0; x < width; x += 1) {
      const [dx, dy] = [x - width / 2, y - height / 2];
      const fromX = Math.round(dx * cos - dy * sin + width / 2);
      const fromY = Math.round(dx * sin + dy * cos + height / 2);
      if (fromX >= 0 && fromX < width && fromY >= 0 && fromY < height)
        result[y * width + x] = pixels[fromY * width + fromX]!;
    }
  return { width, height, pixels: result };
}

/** Long dark runs, put together with those that touch them in the row above. */
function horizontalLines(image: GrayImage, minLength: number): Rect[] {
  const found: Rect[] = [];
  let open: Rect[] = [];
  for (let y = 0; y < image.height; y += 1) {
    const runs = runsOf(image, y, minLength);
    const next: Rect[] = [];
    for (const run of runs) {
      const above = open.find(({ x0, x1 }) => x0 <= run.x1 && run.x0 <= x1);
      if (!above) next.push(run);
      else {
        Object.assign(above, { x0: Math.min(above.x0, run.x0), x1: Math.max(above.x1, run.x1), y1: run.y1 });
        if (!next.includes(above)) next.push(above);
      }
    }
    found.push(...open.filter((line) => !next.includes(line)));
    open = next;
  }
  return [...found, ...open].filter(({ y0, y1 }) => y1 - y0 <= MAX_THICKNESS);
}

function runsOf({ width, height, pixels }: GrayImage, y: number, minLength: number): Rect[] {
  if (y < REACH || y >= height - REACH) return [];
  const runs: Rect[] = [];
  let start = -1;
  let end = -1;
  for (let x = 0; x <= width; x += 1) {
    const at = y * width + x;
    const isLine =
      x < width &&
      pixels[at]! + MIN_CONTRAST < Math.min(pixels[at - REACH * width]!, pixels[at + REACH * width]!);
    if (isLine) {
      if (start === -1) start = x;
      end = x;
    } else if (start !== -1 && (x === width || x - end > MAX_GAP)) {
      if (end - start >= minLength) runs.push({ x0: start, y0: y, x1: end + 1, y1: y + 1 });
      start = -1;
    }
  }
  return runs;
}

/** Of the longer side of the page: longer than the strokes of letters, which in headings are high. */
const MIN_ACROSS = 0.025;
const MIN_DOWN = 0.045;
/** In pixels: in a small picture letters take a larger share. */
const SHORTEST = 60;
/** A line is darker than what is so many pixels above and below it; what is thicker is an area. */
const REACH = 9;
/** Of brightness: lines of tables are often grey, on cells that are coloured. */
const MIN_CONTRAST = 18;
/** In pixels: worn lines have gaps, and what is slanted is no border. */
const MAX_GAP = 2;
const MAX_THICKNESS = 14;
/** In pixels: where a line goes over into the ground. */
const EDGE = 1;
const MAX_LINES = 1_000;
