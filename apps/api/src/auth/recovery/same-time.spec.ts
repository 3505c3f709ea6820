import { setTimeout as delay } from 'node:timers/promises';
import { inSameTime } from './same-time.js';

describe('work whose time tells nothing', () => {
  /** On how many points of the grid an answer came at the earliest. */
  const pointsOf = async (work: () => Promise<unknown>) => {
    const began = performance.now();
    await inSameTime(50, work).catch(() => undefined);
    return Math.floor((performance.now() - began + 1) / 50);
  };

  it('ends no earlier than the next point of the grid, whether it was quick, slow or failed', async () => {
    expect(await pointsOf(async () => undefined)).toBeGreaterThanOrEqual(1);
    expect(await pointsOf(() => delay(20))).toBeGreaterThanOrEqual(1);
    expect(await pointsOf(() => delay(60))).toBeGreaterThanOrEqual(2);
    expect(await pointsOf(() => Promise.reject(new Error('no')))).toBeGreaterThanOrEqual(1);
  });

  it('gives what the work gives, and throws what it throws', async () => {
    expect(await inSameTime(1, async () => 'done')).toBe('done');
    await expect(inSameTime(1, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  });
});
