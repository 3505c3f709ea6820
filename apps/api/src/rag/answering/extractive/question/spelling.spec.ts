import { correctSpelling, editDistance } from './spelling.js';

const known = new Map([
  ['deductible', 9],
  ['dental', 5],
  ['prescriptions', 4],
  ['ambulance', 3],
  ['coverage', 8],
  ['covered', 8],
]);

describe('correctSpelling', () => {
  it.each([
    ['ambulence', 'ambulance'],
    ['deductable', 'deductible'],
    ['perscriptions', 'prescriptions'],
    ['prescrptionss', 'prescriptions'],
  ])('takes "%s" for "%s"', (word, meant) => {
    expect(correctSpelling(word, known)).toBe(meant);
  });

  it('leaves words alone that are short, hold digits, begin differently or are too far from all', () => {
    expect(
      ['dent', 'cover1', 'rental', 'overage', 'debate'].map((word) => correctSpelling(word, known)),
    ).toEqual(new Array(5).fill(undefined));
  });

  it('prefers the nearest word, then the most frequent', () => {
    const words = new Map([
      ['planes', 2],
      ['planet', 7],
    ]);
    expect(correctSpelling('planee', words)).toBe('planet');
  });
});

describe('editDistance', () => {
  it('counts inserted, dropped, replaced and swapped letters up to the limit', () => {
    expect(editDistance('visit', 'visit', 2)).toBe(0);
    expect(editDistance('vist', 'visit', 2)).toBe(1);
    expect(editDistance('viist', 'visit', 2)).toBe(1);
    expect(editDistance('wisits', 'visit', 2)).toBe(2);
    expect(editDistance('elephant', 'visit', 2)).toBe(3);
  });
});
