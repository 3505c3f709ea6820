import { sentencesOf } from './sentences.js';

const sentences = (text: string) => sentencesOf(text).map(({ start, end }) => text.slice(start, end));

describe('sentencesOf', () => {
  it('splits behind closing marks and their quotes', () => {
    expect(sentences('We pay first. “You pay later.” Is that so? 60 days apply!')).toEqual([
      'We pay first.',
      '“You pay later.”',
      'Is that so?',
      '60 days apply!',
    ]);
  });

  it('does not split at abbreviations, initials or within numbers', () => {
    expect(sentences('Facility fee (e.g. Hospital room) of Dr. Lee and J. Doe is $2.50.')).toHaveLength(1);
  });

  it('joins the lines of a paragraph and separates list items and paragraphs', () => {
    expect(sentences('We do not cover\nthese:\n• Cosmetic surgery\n• Dental care\n\nNext part')).toEqual([
      'We do not cover\nthese:',
      '• Cosmetic surgery',
      '• Dental care',
      'Next part',
    ]);
  });

  it('gives spans without white space at their ends, and none for an empty text', () => {
    expect(sentencesOf('  A plan.  ')).toEqual([{ start: 2, end: 9 }]);
    expect(sentencesOf(' \n ')).toEqual([]);
  });

  it('ends sentences at the marks of scripts that write no spaces', () => {
    const text = '免責金額は五万円です。「ご注意」をお読みください！　年齢条件は三十歳以上です。';
    expect(sentencesOf(text).map(({ start, end }) => text.slice(start, end))).toEqual([
      '免責金額は五万円です。',
      '「ご注意」をお読みください！',
      '年齢条件は三十歳以上です。',
    ]);
  });
});
