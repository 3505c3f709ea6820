import type { GrayImage } from './gray-image.js';
import { turned } from './gray-image.js';
import { straightened } from './drawn-lines.js';
import { directionOf } from './text-direction.js';

/** Lines of words: black boxes with spaces between them. */
function page(shade = 0): GrayImage {
  const [width, height] = [160, 200];
  const pixels = new Uint8Array(width * height);
  for (let y = 0; y < height; y += 1)
    for (let x = 0; x < width; x += 1) {
      const isInk = y > 20 && y < 180 && y % 20 < 8 && x > 16 && x < 144 && (x + 7 * y) % 45 < 38;
      pixels[y * width + x] = Math.max(0, (isInk ? 30 : 250) - shade * x);
    }
  return { width, height, pixels };
}

describe('directionOf', () => {
  it('sees which way lines run, also on a page that gets darker to one side', () => {
    expect(directionOf(page()).horizontal).toBeGreaterThan(1.5);
    expect(directionOf(page(0.7)).horizontal).toBeGreaterThan(1.5);
    expect(directionOf(turned(page(), 1)).horizontal).toBeLessThan(1 / 1.5);
    expect(directionOf(straightened(page(), 0.05)).horizontal).toBeGreaterThan(1.5);
  });

  it('knows a page without anything on it', () => {
    const white = { width: 100, height: 100, pixels: new Uint8Array(10_000).fill(255) };
    expect(directionOf(white).blank).toBe(true);
    expect(directionOf({ ...white, pixels: new Uint8Array(10_000) }).blank).toBe(true);
    expect(directionOf(page()).blank).toBe(false);
  });
});
