import type { PlacedText } from './ocr-engine.js';
import { boxBeforeTurning } from './page-places.js';

const page = (rest: Partial<PlacedText>): PlacedText => ({
  kind: 'placed',
  width: 1_000,
  height: 2_000,
  lines: [],
  drawn: [],
  turn: 0,
  skew: 0,
  ...rest,
});

/** At the top left of the upright page. */
const BOX = { x: 0.1, y: 0.05, width: 0.3, height: 0.02 };

describe('boxBeforeTurning', () => {
  it('leaves the boxes of an upright page alone', () => {
    expect(boxBeforeTurning(BOX, page({}))).toEqual(BOX);
  });

  it.each([
    [1 as const, { x: 0.93, y: 0.1, width: 0.02, height: 0.3 }],
    [2 as const, { x: 0.6, y: 0.93, width: 0.3, height: 0.02 }],
    [3 as const, { x: 0.05, y: 0.6, width: 0.02, height: 0.3 }],
  ])('finds the place of text that was turned by %i quarters', (turn, box) => {
    expect(boxBeforeTurning(BOX, page({ turn }))).toEqual(box);
  });

  it('finds the place of text that was slanted', () => {
    // Clockwise: what is left of the middle of the page stands higher.
    const { x, y } = boxBeforeTurning(
      { x: 0, y: 0.5, width: 0.001, height: 0.001 },
      page({ skew: 0.1, width: 1_000, height: 1_000 }),
    );
    expect(x).toBeCloseTo(0.5 - 0.5 * Math.cos(0.1), 2);
    expect(y).toBeCloseTo(0.5 - 0.5 * Math.sin(0.1), 2);
  });
});
