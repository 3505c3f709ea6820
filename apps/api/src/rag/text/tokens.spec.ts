import { tokenize } from './tokens.js';

describe('tokenize', () => {
  it('finds words and numbers and where they stand', () => {
    const text = 'Plan’s limit: $1,000 (out-of-pocket).';
    const tokens = tokenize(text);
    expect(tokens.map(({ text: word }) => word)).toEqual(["plan's", 'limit', '1,000', 'out', 'of', 'pocket']);
    expect(tokens.map(({ start, end }) => text.slice(start, end))).toEqual([
      'Plan’s',
      'limit',
      '1,000',
      'out',
      'of',
      'pocket',
    ]);
  });

  it('keeps letters of any script together with their marks', () => {
    expect(tokenize('Español naïve å').map(({ text }) => text)).toEqual(['español', 'naïve', 'å']);
  });
});
