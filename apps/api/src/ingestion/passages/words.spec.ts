import { countWords, cutLong } from './words.js';

const pieces = (text: string, limit: number) =>
  cutLong(text, { start: 0, end: text.length }, limit).map(({ start, end }) => text.slice(start, end));

describe('countWords', () => {
  it('counts what stands between white space', () => {
    expect(countWords(' The $1,500.00 deductible (e.g., yours) ')).toBe(5);
    expect(countWords('')).toBe(0);
  });

  it('counts single characters of scripts without spaces, and endless tokens by their length', () => {
    expect(countWords('保険の plan')).toBe(4);
    expect(countWords('x'.repeat(100))).toBe(3);
  });
});

describe('cutLong', () => {
  it('leaves alone what is short enough', () => {
    expect(pieces('one two three', 3)).toEqual(['one two three']);
  });

  it('cuts between clauses rather than between words', () => {
    expect(pieces('one two three four; five six seven eight', 5)).toEqual([
      'one two three four;',
      'five six seven eight',
    ]);
    expect(pieces('one two three four, five six seven eight', 5)).toEqual([
      'one two three four,',
      'five six seven eight',
    ]);
    expect(pieces('one two three four five six seven eight', 5)).toEqual([
      'one two three four',
      'five six seven eight',
    ]);
  });

  it('cuts texts without spaces, too', () => {
    expect(pieces('保険の契約者は。保険料を払う', 8)).toEqual(['保険の契約者は。', '保険料を払う']);
    expect(pieces('y'.repeat(120), 2).join('')).toBe('y'.repeat(120));
  });
});
