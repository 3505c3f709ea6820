import { networkOf } from './network.js';

describe('networkOf', () => {
  it.each([
    ['What You Will Pay > Network Provider (You will pay the least)', 'in'],
    ['In-network', 'in'],
    ['Preferred pharmacy', 'in'],
    ['Out-of-Network Provider', 'out'],
    ['You pay > Out-of-network', 'out'],
    ['Non-participating provider', 'out'],
    ['Limits and conditions', null],
    ['Answers', null],
  ])('reads "%s" as %s', (header, side) => {
    expect(networkOf(header)).toBe(side);
  });
});
