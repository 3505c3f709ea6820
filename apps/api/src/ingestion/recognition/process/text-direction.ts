import type { GrayImage } from './gray-image.js';

export interface TextDirection {
  /** Nothing is darker than the rest. */
  blank: boolean;
  /** How much more the darkness changes from line to line across one direction than across the other: above 1 the
   * lines of text are horizontal, below they are vertical. */
  horizontal: number;
}

/**
 * Whether lines of text run from side to side or from top to bottom. Between lines there is white space all along, so
 * the darkness of rows (or columns) rises and falls with every line.
 */
export function directionOf(image: GrayImage): TextDirection {
  const ink = inkOf(image);
  const rows = new Float64Array(ink.height);
  const columns = new Float64Array(ink.width);
  let total = 0;
  for (let y = 0; y < ink.height; y += 1)
    for (let x = 0; x < ink.width; x += 1) {
      const dark = ink.dark[y * ink.width + x]!;
      rows[y]! += dark;
      columns[x]! += dark;
      total += dark;
    }
  if (total < MIN_INK) return { blank: true, horizontal: 1 };
  return { blank: false, horizontal: changesOf(rows) / Math.max(changesOf(columns), Number.EPSILON) };
}

/** Sum of squared changes, for the same amount of ink in a line whatever the size of the page. */
function changesOf(profile: Float64Array): number {
  let sum = 0;
  for (let i = 1; i < profile.length; i += 1) sum += (profile[i]! - profile[i - 1]!) ** 2;
  return sum;
}

interface Ink {
  width: number;
  height: number;
  /** 1 where it is dark, else 0. */
  dark: Uint8Array;
}

/** The picture made smaller, and each cell of it compared with the mean of its surroundings, so that shade is no ink. */
function inkOf({ width, height, pixels }: GrayImage): Ink {
  const step = Math.max(1, Math.floor(Math.max(width, height) / LONG_SIDE));
  const small = { width: Math.floor(width / step), height: Math.floor(height / step) };
  const darkest = new Uint8Array(small.width * small.height);
  const tilesAcross = Math.ceil(small.width / TILE);
  const sums = new Float64Array(tilesAcross * Math.ceil(small.height / TILE));
  const counts = new Float64Array(sums.length);
  for (let y = 0; y < small.height; y += 1)
    for (let x = 0; x < small.width; x += 1) {
      let value = 255;
      for (let dy = 0; dy < step; dy += 1)
        for (let dx = 0; dx < step; dx += 1)
          value = Math.min(value, pixels[(y * step + dy) * width + x * step + dx]!);
      darkest[y * small.width + x] = value;
      const tile = Math.floor(y / TILE) * tilesAcross + Math.floor(x / TILE);
      sums[tile]! += value;
      counts[tile]! += 1;
    }
  const dark = darkest.map((value, i) => {
    const tile =
      Math.floor(Math.floor(i / small.width) / TILE) * tilesAcross + Math.floor((i % small.width) / TILE);
    return value < sums[tile]! / counts[tile]! - MIN_CONTRAST ? 1 : 0;
  });
  return { ...small, dark };
}

/** In cells, of the picture made smaller. */
const LONG_SIDE = 800;
const TILE = 40;
/** Of 255. */
const MIN_CONTRAST = 40;
/** Cells; a single small word has more. */
const MIN_INK = 20;
