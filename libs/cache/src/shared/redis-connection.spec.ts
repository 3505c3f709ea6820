import { reconnectDelayMs } from './redis-connection.js';

describe('the wait before the next attempt to connect', () => {
  it('grows up to a second, of which chance takes up to half', () => {
    const delays = (random: number) => [1, 2, 3, 4, 5, 6, 100].map((n) => reconnectDelayMs(n, () => random));
    expect(delays(1)).toEqual([50, 100, 200, 400, 800, 1_000, 1_000]);
    expect(delays(0)).toEqual([25, 50, 100, 200, 400, 500, 500]);
  });
});
