import { drawnLines, straightened } from './drawn-lines.js';
import { type GrayImage, turned } from './gray-image.js';

const SIDE = 400;

function drawing(isInk: (x: number, y: number) => boolean, ink = 0): GrayImage {
  const pixels = new Uint8Array(SIDE * SIDE);
  for (let y = 0; y < SIDE; y += 1)
    for (let x = 0; x < SIDE; x += 1) pixels[y * SIDE + x] = isInk(x, y) ? ink : 255;
  return { width: SIDE, height: SIDE, pixels };
}

const inside = (value: number, from: number, to: number) => value >= from && value < to;

describe('drawnLines', () => {
  it('finds lines of both directions where they are, also pale ones', () => {
    for (const ink of [0, 220]) {
      const isLine = (x: number, y: number) =>
        (inside(y, 100, 102) && inside(x, 50, 300)) || (inside(x, 200, 203) && inside(y, 150, 350));
      expect(drawnLines(drawing(isLine, ink))).toEqual([
        { x0: 50, y0: 100, x1: 300, y1: 102 },
        { x0: 200, y0: 150, x1: 203, y1: 350 },
      ]);
    }
  });

  it('takes neither letters nor areas for lines', () => {
    expect(drawnLines(drawing((x, y) => x % 12 < 7 && y % 20 < 9))).toEqual([]);
    expect(drawnLines(drawing((x, y) => inside(x, 100, 300) && inside(y, 100, 300)))).toEqual([]);
  });
});

describe('turning', () => {
  const mark = drawing((x, y) => inside(x, 10, 30) && inside(y, 50, 60));

  it('comes back after four quarters', () => {
    for (const back of [turned(turned(turned(mark, 1), 1), 2), turned(turned(mark, 3), 1)])
      expect(Buffer.compare(back.pixels, mark.pixels)).toBe(0);
    expect(turned(mark, 1).pixels[10 * SIDE + (SIDE - 1 - 50)]).toBe(0);
  });

  it('sets lines straight that are a little off', () => {
    const skew = 0.05;
    const slanted = drawing((x, y) => Math.abs(y - 200 - Math.tan(skew) * (x - 200)) < 1.5);
    const lines = drawnLines(straightened(slanted, skew));
    expect(Math.max(...lines.map(({ x0, x1 }) => x1 - x0))).toBeGreaterThan(350);
    expect(Math.max(0, ...drawnLines(slanted).map(({ x0, x1 }) => x1 - x0))).toBeLessThan(350);
  });
});
