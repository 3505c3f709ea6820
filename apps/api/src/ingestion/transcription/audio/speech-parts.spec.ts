import { FRAME_MS, measureLevels } from './levels.js';
import { speechParts } from './speech-parts.js';

const SPEECH = -20;
const NOISE = -55;

/** Levels of stretches of so many seconds each; voices go up and down, noise hardly. */
function levels(...stretches: [seconds: number, decibels: number][]) {
  const decibels: number[] = [];
  for (const [seconds, level] of stretches)
    for (let i = 0; i < (seconds * 1_000) / FRAME_MS; i++)
      decibels.push(level + (level === NOISE ? (i % 2) * 2 : 8 * Math.sin(i)));
  return { decibels: Float32Array.from(decibels), durationMs: decibels.length * FRAME_MS };
}
const lengths = (parts: { from: number; to: number }[]) => parts.map(({ from, to }) => to - from + 1);

describe('speechParts', () => {
  it('takes a short recording as it is', () => {
    expect(speechParts(levels([7, SPEECH]))).toEqual([{ from: 0, to: 6_999 }]);
  });

  it('cuts in the longest pause between 10 and 20 seconds', () => {
    const parts = speechParts(levels([11, SPEECH], [0.3, NOISE], [3, SPEECH], [0.8, NOISE], [14, SPEECH]));
    expect(parts).toHaveLength(2);
    expect(parts[0]).toMatchObject({ from: 0, to: parts[1]!.from - 1 });
    expect(Math.abs(parts[1]!.from - 14_700)).toBeLessThan(100);
    expect(parts[1]!.to).toBe(29_099);
  });

  it('cuts where it is quietest when nobody pauses, after 24 seconds at the latest', () => {
    const recording = levels([120, SPEECH]);
    recording.decibels.fill(-40, 850, 856);
    const parts = speechParts(recording);
    expect(parts[0]!.to).toBeGreaterThan(16_900);
    expect(parts[0]!.to).toBeLessThan(17_200);
    expect(Math.max(...lengths(parts))).toBeLessThanOrEqual(24_000);
    expect(parts.slice(1).every((part, i) => part.from === parts[i]!.to + 1)).toBe(true);
    expect(parts.at(-1)!.to).toBe(119_999);
  });

  it('leaves long silences out, but for what words need to fade', () => {
    const parts = speechParts(levels([10, NOISE], [5, SPEECH], [30, NOISE], [6, SPEECH], [20, NOISE]));
    expect(parts).toEqual([
      { from: 9_800, to: 15_199 },
      { from: 44_800, to: 51_199 },
    ]);
  });

  it.each([-62, -50, -38])('hears pauses above a noise of %i decibels', (noise) => {
    const parts = speechParts(levels([12, SPEECH], [1, noise - 8], [12, SPEECH]));
    expect(parts).toHaveLength(2);
    expect(parts[0]!.to).toBeGreaterThan(12_000);
    expect(parts[0]!.to).toBeLessThan(13_000);
  });

  it('goes with a noise that grows', () => {
    const parts = speechParts(
      levels([12, SPEECH], [0.5, -60], [40, SPEECH], [12, SPEECH + 10], [0.5, -30], [12, SPEECH + 10]),
    );
    const cuts = parts.map((part) => part.to);
    expect(cuts.some((cut) => cut > 12_000 && cut < 12_500)).toBe(true);
    expect(cuts.some((cut) => cut > 64_500 && cut < 65_000)).toBe(true);
  });

  it('finds nothing to hear in silence, and leaves a steady hum to who hears', () => {
    expect(speechParts(levels([30, -90]))).toEqual([]);
    expect(speechParts({ decibels: new Float32Array(), durationMs: 0 })).toEqual([]);
    expect(speechParts({ decibels: new Float32Array(500).fill(-30), durationMs: 10_000 })).toHaveLength(1);
  });

  it('finds its way through two hours at once', () => {
    const sentences = Array.from({ length: 900 }, (): [number, number][] => [
      [7.5, SPEECH],
      [0.5, NOISE],
    ]).flat();
    const parts = speechParts(levels(...sentences));
    expect(parts.length).toBeGreaterThanOrEqual(7_200 / 24);
    expect(parts.length).toBeLessThanOrEqual(7_200 / 10);
    expect(parts.at(-1)!.to).toBeLessThan(7_200_000);
  });
});

describe('measureLevels', () => {
  async function* pieces(...lengths: [length: number, value: number][]) {
    for (const [length, value] of lengths) yield new Float32Array(length).fill(value);
  }

  it('tells the level of every 20 ms, however the samples come', async () => {
    const { decibels, durationMs } = await measureLevels(
      pieces([300, 1], [20, 1], [1, 0.1], [319, 0.1], [160, 0]),
      16_000,
      1e9,
    );
    expect([...decibels].map(Math.round)).toEqual([0, -20, -90]);
    expect(durationMs).toBe(50);
  });

  it('keeps to the clock at rates that have no whole number of samples in 20 ms', async () => {
    const { decibels, durationMs } = await measureLevels(pieces([11_025 * 60, 0.5]), 11_025, 1e9);
    expect(decibels).toHaveLength(3_000);
    expect(durationMs).toBe(60_000);
  });

  it('stops listening to what is too long', async () => {
    async function* endless() {
      for (;;) yield new Float32Array(16_000);
    }
    const { durationMs } = await measureLevels(endless(), 16_000, 5_000);
    expect(durationMs).toBe(6_000);
  });
});
