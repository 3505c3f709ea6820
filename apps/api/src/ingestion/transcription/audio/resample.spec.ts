import { resample } from './resample.js';

const signal = new AbortController().signal;
const tone = (hertz: number, rate: number, seconds = 0.5) =>
  Float32Array.from({ length: rate * seconds }, (_, i) => 0.5 * Math.sin((2 * Math.PI * hertz * i) / rate));
/** Without the borders, where the filter has nothing to read. */
const middle = (samples: Float32Array) => samples.subarray(200, samples.length - 200);
const power = (samples: Float32Array) => samples.reduce((sum, x) => sum + x * x, 0) / samples.length;

describe('resample', () => {
  it.each([8_000, 11_025, 22_050, 44_100, 48_000, 96_000, 44_056])(
    'keeps a voice as it is when it comes at %i samples a second',
    async (rate) => {
      const heard = await resample(tone(1_000, rate), rate, signal);
      expect(Math.abs(heard.length - 8_000)).toBeLessThanOrEqual(1);
      const expected = tone(1_000, 16_000);
      const error = middle(heard).map((x, i) => x - expected[i + 200]!);
      expect(10 * Math.log10(power(error) / power(middle(expected)))).toBeLessThan(-40);
    },
  );

  it('leaves out what is too high, which would come back as another tone', async () => {
    const heard = await resample(tone(12_000, 48_000), 48_000, signal);
    expect(10 * Math.log10(power(middle(heard)))).toBeLessThan(-60);
  });

  it('has nothing to do at 16 kHz, and nothing to give for nothing', async () => {
    const samples = tone(1_000, 16_000);
    expect(await resample(samples, 16_000, signal)).toBe(samples);
    expect(await resample(new Float32Array(), 44_100, signal)).toHaveLength(0);
  });
});
