import { findVerbatim } from './quotes.js';

const found = (quote: string, source: string) => {
  const span = findVerbatim(quote, source);
  return span && source.slice(span.start, span.end);
};

describe('findVerbatim', () => {
  it('finds the words where they stand', () => {
    expect(found('$250 copay', 'Emergency: $250 copay per visit.')).toBe('$250 copay');
  });

  it.each([
    [
      'white space',
      'limited to 20 visits',
      'is limited\nto  20\u00a0visits a year',
      'limited\nto  20\u00a0visits',
    ],
    [
      'quotation marks',
      `the "allowed amount" isn't`,
      'So the “allowed amount” isn’t paid',
      'the “allowed amount” isn’t',
    ],
    ['dashes', 'in-network - 20%', 'for in‑network – 20% applies', 'in‑network – 20%'],
    ['ligatures', 'benefits of office', 'No beneﬁts of oﬃce visits', 'beneﬁts of oﬃce'],
    ['letter case', 'not covered', 'Cosmetic: NOT COVERED', 'NOT COVERED'],
    ['invisible characters', 'deductible', 'The de\u00adduct\u200bible is', 'de\u00adduct\u200bible'],
    ['characters outside the basic plane', '𝟓 visits', 'Up to 5 visits', '5 visits'],
  ])('looks past differences of %s and gives exact offsets', (_, quote, source, expected) => {
    expect(found(quote, source)).toBe(expected);
  });

  it('looks past punctuation that was added at the ends of the quote', () => {
    expect(found('20 visits per year,', 'limited to 20 visits per year')).toBe('20 visits per year');
  });

  it.each([
    ['a number within a longer number', '$25', 'You pay $250'],
    ['a number before its thousands', 'is 1', 'The limit is 1,000'],
    ['a number behind its thousands', '000', 'The limit is 1,000'],
    ['a fraction', '$20', 'You pay $20.50'],
    ['a part of a word', 'cover', 'It is covered'],
    ['words in another order', 'visits 20', 'limited to 20 visits'],
    ['a skipped word', 'is covered', 'is not covered'],
    ['nothing', ' "., ', 'anything'],
  ])('does not find %s', (_, quote, source) => {
    expect(found(quote, source)).toBeUndefined();
  });

  it('goes on to a later place where the words stand by themselves', () => {
    expect(findVerbatim('$25', 'You pay $250 or $25.')).toEqual({ start: 16, end: 19 });
  });

  it('gives offsets that hold behind characters of two code units', () => {
    expect(found('covered', '👍👍 It is covered.')).toBe('covered');
    expect(found('👍', 'a 👍 b')).toBe('👍');
  });
});
