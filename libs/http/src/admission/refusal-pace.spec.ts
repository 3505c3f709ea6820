import { RefusalPace } from './refusal-pace.js';

describe('the pace of refusals', () => {
  let now = 0;
  const pace = () => new RefusalPace({ now: () => now });
  beforeEach(() => (now = 0));

  it('holds nothing back while there are few', () => {
    const refusals = pace();
    for (; now < 10_000; now += 2) expect(refusals.delayMs()).toBe(0);
    for (let i = 0; i < 100; i++) expect(refusals.delayMs()).toBe(0);
  });

  it('tells a thousand a second, in the order in which they came, however many there are', () => {
    const refusals = pace();
    const toldAt: number[] = [];
    for (let i = 0; i < 800; i++) toldAt.push(now + refusals.delayMs());
    expect(toldAt).toEqual(toldAt.toSorted((a, b) => a - b));
    expect(toldAt.filter((at) => at < 500).length).toBeLessThanOrEqual(601);
    expect(toldAt.at(-1)).toBeLessThan(1_000);
  });

  it('holds none back for more than a second, and forgets a storm as fast', () => {
    const refusals = pace();
    for (let i = 0; i < 100_000; i++) expect(refusals.delayMs()).toBeLessThanOrEqual(1_000);
    now = 1_200;
    expect(refusals.delayMs()).toBe(0);
  });
});
