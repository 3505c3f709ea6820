import { loopStart } from './token-loop.js';

/** A number for each word, the same for the same word. */
const words = (text: string) => {
  const known = [...new Set(text.split(' '))];
  return text.split(' ').map((word) => known.indexOf(word));
};

describe('loopStart', () => {
  it.each([
    ['a speech without end of one word', 'so it is is is is is is is is is', 3],
    [
      'a phrase that comes again and again',
      'we pay you pay as we go you pay as we go you pay as we go you pay as we go',
      7,
    ],
  ])('cuts %s back to its first time', (_, text, keep) => {
    expect(loopStart(words(text))).toBe(keep);
  });

  it.each([
    'no no no no',
    'far far away lived a dragon',
    'row row row your boat gently down the stream',
    'five two five two five two',
    '',
  ])('lets people repeat themselves: "%s"', (text) => expect(loopStart(words(text))).toBeUndefined());
});
