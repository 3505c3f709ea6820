import { stemOf } from '../stems.js';
import { findPhrases } from './concepts.js';
import { LEXICON } from './lexicon.js';

const phrases = (question: string) =>
  findPhrases(question.split(' ').map(stemOf)).map(({ start, end, concept }) => [start, end, concept.asked]);

describe('findPhrases', () => {
  it('prefers longer phrases and lets none overlap', () => {
    expect(phrases('weight loss surgery')).toEqual([[0, 3, 'weight loss surgery']]);
    expect(phrases('loss of weight')).toEqual([]);
  });

  it('bridges up to five words where the lexicon leaves a gap', () => {
    expect(phrases('the most i will ever pay')).toEqual([[1, 6, 'most ~ pay']]);
    expect(phrases('most of us think that one should never pay')).toEqual([]);
  });

  it('joins the meanings of a phrase that stands in two lines', () => {
    const [match] = findPhrases(['medic', 'leav']);
    expect(match?.concept.alternatives.map(({ stems }) => stems.join(' '))).toContain('matern leav');
  });
});

describe('LEXICON', () => {
  it('has no empty phrases, and saliences from 0 to 1', () => {
    for (const { same, broader, salience } of LEXICON) {
      expect(
        [...same, ...broader].filter((phrase) => phrase.trim() === '' || phrase !== phrase.trim()),
      ).toEqual([]);
      expect(salience).toBeGreaterThan(0);
      expect(salience).toBeLessThanOrEqual(1);
    }
  });
});
