import { wordErrorRate } from './word-error-rate.js';

describe('the word error rate', () => {
  it.each([
    ['the same words', 'ask not what', 'Ask not, what?', 0],
    ['one word in four heard wrongly', 'a little bottle of', 'a little battle of', 0.25],
    ['a missing word', 'a little bottle of', 'a little of', 0.25],
    ['a word too many', 'a little bottle of', 'a very little bottle of', 0.25],
    ['silence', 'ask not', '', 1],
    ['a title that is said in full', 'mister john', 'Mr. John', 0],
  ])('of %s', (_, reference, hypothesis, rate) => {
    expect(wordErrorRate(reference, hypothesis)).toBeCloseTo(rate, 6);
  });
});
