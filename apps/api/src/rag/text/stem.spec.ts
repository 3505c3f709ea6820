import { stem } from './stem.js';

describe('stem', () => {
  // Taken from PostgreSQL 18's english_stem.
  it.each([
    ['consignment', 'consign'],
    ['relational', 'relat'],
    ['caresses', 'caress'],
    ['ties', 'tie'],
    ['cries', 'cri'],
    ['gas', 'gas'],
    ['agreed', 'agre'],
    ['hopping', 'hop'],
    ['hoping', 'hope'],
    ['luxuriated', 'luxuri'],
    ['dying', 'die'],
    ['generally', 'general'],
    ['generic', 'generic'],
    ['copayments', 'copay'],
    ['coinsurance', 'coinsur'],
    ['habilitation', 'habilit'],
    ['deliveries', 'deliveri'],
    ['sayings', 'say'],
    ['youth', 'youth'],
    ['boyish', 'boyish'],
    ['news', 'news'],
    ['proceeding', 'proceed'],
    ['falling', 'fall'],
    ['controlling', 'control'],
    ['rational', 'ration'],
    ['goodness', 'good'],
    ['formative', 'format'],
    ['biology', 'biolog'],
  ])('gives "%s" the stem "%s"', (word, expected) => {
    expect(stem(word)).toBe(expected);
  });

  it('drops possessives, straight or curly', () => {
    expect([stem("child's"), stem('children’s'), stem("providers'")]).toEqual([
      'child',
      'children',
      'provid',
    ]);
  });

  it('leaves numbers, short words and other scripts as they are', () => {
    expect(['1,000', 'er', 'niños', '中文'].map(stem)).toEqual(['1,000', 'er', 'niños', '中文']);
  });
});
