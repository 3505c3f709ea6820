import { runsOf, tokenize } from './tokens.js';

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

  it('tells words apart where a script writes no spaces, each where it stands', () => {
    const text = 'Plan A: ロードサービスは年間3回まで無料。';
    const tokens = tokenize(text);
    expect(tokens.map(({ text: word }) => word)).toEqual(
      expect.arrayContaining(['plan', 'サービス', '年間', '3', '無料']),
    );
    expect(tokens.every(({ text: word, start, end }) => text.slice(start, end).toLowerCase() === word)).toBe(
      true,
    );
    expect(runsOf('年間三回まで').map(({ text: run }) => run)).toEqual(['年間三回まで']);
  });
});
