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
  const total = ink.dark.reduce((sum, dark) => sum + dark, 0);
  if (total < MIN_INK) return { blank: true, horizontal: 1 };
  const [across, down] = (['across', 'down'] as const).map((direction) =>
    Math.max(...SLANTS.map((slant) => changesAlong(ink, direction, slant))),
  ) as [number, number];
  return { blank: false, horizontal: across / Math.max(down, Number.EPSILON) };
}

/** How much the darkness of the lines of cells changes from one to the next, where lines have a slope. */
function changesAlong({ width, height, dark }: Ink, direction: 'across' | 'down', slant: number): number {
  const [count, length] = direction === 'across' ? [height, width] : [width, height];
  const profile = new Float64Array(count);
  for (let y = 0; y < height; y += 1)
    for (let x = 0; x < width; x += 1) {
      if (dark[y * width + x] === 0) continue;
      const [line, along] = direction === 'across' ? [y, x] : [x, y];
      const at = Math.round(line - slant * (along - length / 2) * (direction === 'across' ? 1 : -1));
      if (at >= 0 && at < count) profile[at]! += 1;
    }
  let sum = 0;
  for (let i = 1; i < count; i += 1) sum += (profile[i]! - profile[i - 1]!) ** 2;
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
/** Slopes that pages are scanned with, up to four degrees. */
const SLANTS = [-0.07, -0.053, -0.035, -0.018, 0, 0.018, 0.035, 0.053, 0.07];
/** Of 255. */
const MIN_CONTRAST = 40;
/** Cells; a single small word has more. */
const MIN_INK = 20;
