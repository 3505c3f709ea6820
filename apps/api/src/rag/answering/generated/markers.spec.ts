import { splitAtMarkers } from './markers.js';

const split = (text: string) => splitAtMarkers(text, []);

describe('splitAtMarkers', () => {
  it('gives the text before each run of markers its passage numbers', () => {
    expect(split('One [1] and two [2][3].')).toEqual([
      { text: 'One ', numbers: [1] },
      { text: ' and two ', numbers: [2, 3] },
      { text: '.', numbers: [] },
    ]);
  });

  it.each([
    ['[2]', [2]],
    ['[1, 2]', [1, 2]],
    ['[1;2]', [1, 2]],
    ['[1-3]', [1, 2, 3]],
    ['[1–2, 5]', [1, 2, 5]],
    ['[^4]', [4]],
    ['【3】', [3]],
    ['[Passage 2]', [2]],
    ['[source #7]', [7]],
    ['[1] [1] [2]', [1, 2]],
    ['[9999]', [9999]],
  ])('reads %s', (marker, numbers) => {
    expect(split(`A claim ${marker}`)[0]).toEqual({ text: 'A claim ', numbers });
  });

  it('follows no range further than anybody could check', () => {
    expect(split('A [1-9999]')[0]!.numbers).toHaveLength(10);
    expect(split('A [9-1]')[0]!.numbers).toEqual([9]);
  });

  it.each(['[a]', '[]', '[12345]', '(1)', '[1 of 2]', '[1.5]', 'a[b1]'])('takes %s for text', (text) => {
    expect(split(`A ${text}`)).toEqual([{ text: `A ${text}`, numbers: [] }]);
  });

  it('takes what stands in opaque places for text', () => {
    expect(splitAtMarkers('x[1] is y [2]', [{ start: 0, end: 4 }])).toEqual([
      { text: 'x[1] is y ', numbers: [2] },
    ]);
  });
});
