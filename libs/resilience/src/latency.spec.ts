import fc from 'fast-check';
import { LatencyEstimate } from './latency.js';

const of = (...latencies: number[]) => {
  const estimate = new LatencyEstimate();
  latencies.forEach((ms) => estimate.record(ms));
  return estimate;
};
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

describe('the latency of a dependency', () => {
  it('is unknown until there were twenty calls', () => {
    expect(of(...range(1, 19)).quantile(0.5)).toBeUndefined();
    expect(of(...range(1, 20)).quantile(0.5)).toBe(10);
  });

  it('is told by quantiles of the last calls', () => {
    const estimate = of(...range(1, 100));
    expect([0.5, 0.95, 1].map((q) => estimate.quantile(q))).toEqual([50, 95, 100]);
  });

  it('forgets, so that a change is soon seen', () => {
    const estimate = of(...range(1, 100));
    expect(estimate.quantile(0.5)).toBe(50);
    for (let i = 0; i < 128; i++) estimate.record(1_000);
    expect(estimate.quantile(0.5)).toBe(1_000);
  });

  it('is worked out anew after sixteen further calls, and not for each', () => {
    const estimate = of(...range(1, 20));
    expect(estimate.quantile(0.5)).toBe(10);
    for (let i = 0; i < 15; i++) estimate.record(1_000);
    expect(estimate.quantile(0.5)).toBe(10);
    estimate.record(1_000);
    expect(estimate.quantile(0.5)).toBe(18);
  });

  it('is never off by more than sixteen calls', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 20, maxLength: 400 }),
        (all) => {
          const estimate = new LatencyEstimate();
          all.forEach((ms) => (estimate.record(ms), estimate.quantile(0.5)));
          const possible = range(0, 15).map((age) => {
            const last = all
              .slice(0, Math.max(20, all.length - age))
              .slice(-128)
              .sort((a, b) => a - b);
            return last[Math.ceil(last.length / 2) - 1];
          });
          expect(possible).toContain(estimate.quantile(0.5));
        },
      ),
    );
  });
});
