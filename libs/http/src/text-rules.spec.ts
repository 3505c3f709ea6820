import { isKeepable } from './text-rules.js';

describe('texts of a request', () => {
  it.each([
    ['nothing', undefined],
    ['numbers', { a: [1, null, true] }],
    ['any whole character', { a: ['é', '\u{1f600}', '\u202e', '\ufffe', ''] }],
    ['what is no text', Buffer.from([0])],
  ])('may be %s', (_, value) => {
    expect(isKeepable(value)).toBe(true);
  });

  it.each([
    ['NUL', 'a\0b'],
    ['the first half of a pair', '\ud83d'],
    ['the second half of a pair', 'x\ude00'],
  ])('are refused with %s, however deep they are', (_, text) => {
    for (const value of [text, [text], { a: text }, { a: { b: [{ c: text }] } }, { [text]: 1 }])
      expect(isKeepable(value)).toBe(false);
  });

  it('are looked at as deep as a body of a megabyte can go', () => {
    let nested: unknown = 'text';
    for (let depth = 0; depth < 500_000; depth++) nested = [nested];
    expect(isKeepable(nested)).toBe(true);
  });
});
