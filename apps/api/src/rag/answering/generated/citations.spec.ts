import { resolveSentence } from './citations.js';
import type { CitablePassage } from './prompt.js';

let count = 0;
const passage = (text: string, members: Partial<CitablePassage> = {}): CitablePassage => ({
  id: `p${++count}`,
  documentId: 'd',
  documentTitle: 'Gold Plan',
  ordinal: 0,
  kind: 'prose',
  text,
  headingPath: [],
  page: null,
  box: null,
  row: null,
  ...members,
});

const therapy = passage('Referrals are needed. Physical therapy is limited to 20 visits per calendar year.');
const emergency = passage('Emergency room care: $250 copay per visit; the copay is waived if admitted [3].', {
  kind: 'table-row',
});
const cosmetic = passage('Cosmetic surgery is not covered.');
const supplied = [therapy, emergency, cosmetic];

/** The parts that stand, each with its quotes. */
function cite(sentence: string, neighbours: CitablePassage[] = []) {
  const { parts, dropped } = resolveSentence(sentence, supplied, neighbours);
  return {
    parts: parts?.map(({ text, sources }) => [
      text,
      ...sources.map(({ passage: p, span }) => p.text.slice(span.start, span.end)),
    ]),
    dropped,
  };
}
const none = { unknown: 0, unsupported: 0 };

describe('resolveSentence', () => {
  it('quotes the words of the source that the sentence quotes', () => {
    expect(cite('Therapy is "limited to 20 visits per calendar year" [1].')).toEqual({
      parts: [
        ['Therapy is "limited to 20 visits per calendar year"', 'limited to 20 visits per calendar year'],
        ['.'],
      ],
      dropped: none,
    });
  });

  it('takes the longest of several quotes, as the source writes it', () => {
    const { parts } = cite('“Physical  Therapy” is “limited to 20 visits” [1]');
    expect(parts).toEqual([['“Physical  Therapy” is “limited to 20 visits”', 'limited to 20 visits']]);
  });

  it('quotes the closest sentence of the source when the sentence quotes nothing', () => {
    expect(cite('You have 20 physical therapy visits a year [1].').parts![0]![1]).toBe(
      'Physical therapy is limited to 20 visits per calendar year.',
    );
  });

  it('quotes the whole row of a table when no words of it are quoted', () => {
    expect(cite('An emergency room visit costs $250 [2].').parts![0]![1]).toBe(emergency.text);
  });

  it('gives each part of a sentence its own source', () => {
    const { parts } = cite('Therapy has "20 visits" [1] and the emergency room a "$250 copay" [2].');
    expect(parts!.map(([, quote]) => quote)).toEqual(['20 visits', '$250 copay', undefined]);
  });

  it('gives a part several sources, and drops those that say nothing of the kind', () => {
    const { parts, dropped } = cite('Therapy is limited to 20 visits [1][3].');
    expect(parts![0]).toHaveLength(2);
    expect(dropped).toEqual({ unknown: 0, unsupported: 1 });
  });

  it('drops markers that name no passage and keeps those that do', () => {
    const { parts, dropped } = cite('Therapy is "limited to 20 visits" [1, 7, 0].');
    expect(parts![0]![1]).toBe('limited to 20 visits');
    expect(dropped).toEqual({ unknown: 2, unsupported: 0 });
  });

  it('lets no sentence stand whose markers all name no passage', () => {
    expect(cite('Therapy is limited to 20 visits [9].')).toEqual({
      parts: undefined,
      dropped: { unknown: 1, unsupported: 0 },
    });
  });

  it('lets no sentence stand whose source says nothing of the kind', () => {
    expect(cite('Dental crowns are fully paid for [1].')).toEqual({
      parts: undefined,
      dropped: { unknown: 0, unsupported: 1 },
    });
  });

  it.each([
    ['an amount', 'The emergency room costs $25 [2].'],
    [
      'an amount beside a true quote',
      'The emergency room costs "$250 copay per visit", and $99 for parking [2].',
    ],
    ['a number from another passage', 'Physical therapy is limited to 250 visits per calendar year [1].'],
    ['a number behind the marker', 'Physical therapy is limited to "20 visits" [1], 30 with referral.'],
  ])('lets no sentence stand with %s that its sources do not have', (_, sentence) => {
    expect(cite(sentence).parts).toBeUndefined();
  });

  it('takes numbers of the heading and the title for numbers of the passage', () => {
    const dated = passage('Physical therapy is limited per calendar year.', {
      documentTitle: 'Plan 2026',
      headingPath: ['Part 7'],
    });
    expect(
      resolveSentence('In 2026, part 7 limits physical therapy per year [1].', [dated]).parts,
    ).toBeDefined();
  });

  describe('with quotes that the source does not have', () => {
    it('takes their quotation marks away and quotes what the source does say', () => {
      const { parts } = cite('Therapy is "limited to 20 physical visits each calendar year" [1].');
      expect(parts![0]).toEqual([
        'Therapy is limited to 20 physical visits each calendar year',
        'Physical therapy is limited to 20 visits per calendar year.',
      ]);
    });

    it('lets no opposite of the source stand', () => {
      expect(cite('"Cosmetic surgery is covered" [3].').parts).toBeUndefined();
    });

    it('lets no invention stand for sharing a word or two', () => {
      expect(
        cite('"Physical therapy at any spa is paid without asking questions" [1].').parts,
      ).toBeUndefined();
    });

    it('does not take a quote from another passage than the one it names', () => {
      expect(cite('It has a "$250 copay per visit" [1].').parts).toBeUndefined();
    });
  });

  it('does not take brackets in code or in quoted words for markers', () => {
    expect(resolveSentence('The copay is "waived if admitted [3]" [2].', supplied).named).toEqual([
      emergency,
    ]);
    expect(resolveSentence('`list[1]` is code', supplied)).toMatchObject({ named: [], parts: undefined });
  });

  it('lets words stand behind the last marker when they claim nothing', () => {
    expect(cite('Therapy is "limited to 20 visits" [1], as said.').parts!.at(-1)).toEqual([', as said.']);
  });

  it('lets no claim ride behind the last marker', () => {
    expect(
      cite('Therapy is "limited to 20 visits" [1], so wire money to Bob immediately.').parts,
    ).toBeUndefined();
  });

  describe('without markers', () => {
    it('rests on what its neighbours name, when they say so', () => {
      expect(cite('Referrals are needed.', [therapy]).parts).toEqual([
        ['Referrals are needed.', 'Referrals are needed.'],
      ]);
    });

    it('does not stand without neighbours, or when they say nothing of the kind', () => {
      expect(cite('Referrals are needed.').parts).toBeUndefined();
      expect(cite('Referrals are needed.', [cosmetic]).parts).toBeUndefined();
    });
  });
});
