import { inSameTime, untilNextPoint } from './same-time.js';

describe('work whose time tells nothing', () => {
  it.each([
    [0, 50],
    [20, 30],
    [50, 0],
    [60, 40],
    [149, 1],
  ])('that took %d ms of a grid of 50 is followed by %d ms', (tookMs, rest) => {
    expect(untilNextPoint(tookMs, 50)).toBe(rest);
  });

  it('gives what the work gives, and throws what it throws', async () => {
    expect(await inSameTime(1, async () => 'done')).toBe('done');
    await expect(inSameTime(1, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  });
});
