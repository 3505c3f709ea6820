import { isWorse, LEVELS, worstLevel } from './index.js';

describe('service levels', () => {
  it('are as bad as the worst of them, and full when there is none', () => {
    expect(worstLevel('degraded', 'full', 'minimal')).toBe('minimal');
    expect(worstLevel('unavailable', 'degraded')).toBe('unavailable');
    expect(worstLevel()).toBe('full');
  });

  it('are in order, best first', () => {
    for (const [i, level] of LEVELS.entries())
      for (const [j, than] of LEVELS.entries()) expect(isWorse(level, than)).toBe(i > j);
  });
});
