import { splitCost } from './cost-sharing.js';
import { daysAfter, percent, usd } from './plan-figures.js';

const rule = { deductible: 1_500, share: 0.2, limit: 5_000 };

describe('splitCost', () => {
  it('takes the deductible first and then the coinsurance', () => {
    expect(splitCost(18_000, rule)).toMatchObject({
      deductible: 1_500,
      coinsurance: 3_300,
      member: 4_800,
      plan: 13_200,
    });
  });

  it('stops at the out-of-pocket limit', () => {
    expect(splitCost(42_000, rule)).toMatchObject({ member: 5_000, plan: 37_000, spared: 4_600 });
  });

  it('counts what has been paid before', () => {
    const paid = { deductible: 1_420, outOfPocket: 1_690 };
    expect(splitCost(220, rule, paid)).toMatchObject({
      deductible: 80,
      coinsurance: 28,
      member: 108,
      plan: 112,
    });
    expect(splitCost(10_000, rule, { deductible: 1_500, outOfPocket: 4_900 }).member).toBe(100);
  });

  it('never charges more than the allowed amount', () => {
    expect(splitCost(300, rule)).toMatchObject({ deductible: 300, coinsurance: 0, member: 300, plan: 0 });
  });
});

describe('the figures as text', () => {
  it('writes cents only where there are any', () => {
    expect([usd(1_500), usd(724.2), percent(0.2), percent(1.02)]).toEqual([
      '$1,500',
      '$724.20',
      '20%',
      '102%',
    ]);
  });

  it('counts days over the ends of months and years', () => {
    expect(daysAfter('June 30, 2026', 180)).toBe('December 27, 2026');
    expect(daysAfter('December 31, 2026', 1)).toBe('January 1, 2027');
  });
});
