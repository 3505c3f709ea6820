import type { NewPassage } from '../passage.js';
import { type Posting, postingsOf, SCALE } from './postings.js';

const prose = (ordinal: number, text: string, headingPath: string[] = []): NewPassage => ({
  ordinal,
  kind: 'prose',
  text,
  headingPath,
  page: null,
  box: null,
  row: null,
});

const row = (ordinal: number, label: string, cell: string): NewPassage => ({
  ...prose(ordinal, `${label} | ${cell}`),
  kind: 'table-row',
  row: { caption: null, group: null, label, cells: [] },
});

/** Ordinal → frequency of a term. */
function frequencies(postings: Posting[], term: string): Record<number, number> {
  const found: Record<number, number> = {};
  for (const { block, entries } of postings.filter((posting) => posting.term === term))
    for (let at = 0; at < entries.length; at += 3)
      found[block * 256 + entries[at]!] = entries.readUInt16BE(at + 1) / SCALE;
  return found;
}

describe('the postings of a document', () => {
  it('name the passages that have a term', () => {
    const postings = postingsOf([prose(0, 'copay for a visit', ['A']), prose(1, 'visit', ['B'])]);
    expect(Object.keys(frequencies(postings, 'copay'))).toEqual(['0']);
    expect(Object.keys(frequencies(postings, 'visit'))).toEqual(['0', '1']);
  });

  it('count a term for more when it stands there again, and for less in a long passage', () => {
    const long = `dental ${'other words here '.repeat(40)}`;
    const postings = postingsOf([
      prose(0, 'dental care', ['A']),
      prose(1, 'dental dental', ['B']),
      prose(2, long, ['C']),
    ]);
    const { 0: once, 1: twice, 2: diluted } = frequencies(postings, 'dental');
    expect(twice! / once!).toBeCloseTo(2, 2);
    expect(diluted!).toBeLessThan(once!);
  });

  it('count titles above a passage and the label of a row for more than words inside', () => {
    const postings = postingsOf([
      prose(0, 'Nothing about it.', ['Plan', 'Acupuncture']),
      prose(1, 'Acupuncture now.', ['Plan']),
      row(2, 'Acupuncture', 'not covered'),
    ]);
    const { 0: title, 1: text, 2: label } = frequencies(postings, 'acupunctur');
    expect(title!).toBeGreaterThan(text!);
    expect(label!).toBeGreaterThan(title!);
  });

  it('let a passage have a little of the words of its neighbours in the same section, and rows none', () => {
    const postings = postingsOf([
      prose(0, 'Hearing aids are covered.', ['A']),
      prose(1, 'They are limited to one pair.', ['A']),
      prose(2, 'Another subject.', ['B']),
      row(3, 'Wigs', 'not covered'),
      row(4, 'Braces', 'covered'),
    ]);
    const hearing = frequencies(postings, 'hear');
    expect(Object.keys(hearing)).toEqual(['0', '1']);
    expect(hearing[1]!).toBeLessThan(hearing[0]! / 2);
    expect(Object.keys(frequencies(postings, 'wig'))).toEqual(['3']);
  });

  it('are cut into blocks of 256 passages', () => {
    const passages = Array.from({ length: 600 }, (_, i) => prose(i, 'premium', [`Section ${i}`]));
    const blocks = postingsOf(passages).filter(({ term }) => term === 'premium');
    expect(blocks.map(({ block, entries }) => [block, entries.length / 3])).toEqual([
      [0, 256],
      [1, 256],
      [2, 88],
    ]);
    expect(Object.keys(frequencies(blocks, 'premium'))).toHaveLength(600);
  });

  it('hold a frequency that is beyond what can be written at the greatest one', () => {
    const postings = postingsOf([prose(0, 'spam '.repeat(500), ['spam '.repeat(200)])]);
    expect(frequencies(postings, 'spam')[0]).toBeLessThanOrEqual(64);
  });
});
