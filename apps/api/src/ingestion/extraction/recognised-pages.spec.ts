import type { ReadPart, TextBlock } from '../parsing/index.js';
import { withRecognisedPages } from './recognised-pages.js';

const block = (page: number, text: string): TextBlock => ({ kind: 'paragraph', text, page, box: null });
const texts = ({ blocks }: { blocks: ReadPart['blocks'] }) =>
  blocks.map((one) => (one.kind === 'table' ? '' : one.text));
const range = { from: 1, to: 4 };
const page = (number: number, text: string, confidence = 0.9) => ({
  page: number,
  blocks: text === '' ? [] : [block(number, text)],
  words: text === '' ? 0 : text.split(' ').length,
  confidence,
});

describe('recognised pages', () => {
  const part: ReadPart = {
    blocks: [block(1, 'First.'), block(2, 'Stamp'), block(4, 'Last.')],
    warnings: [],
    pagesToRecognise: [2, 3],
    seam: { firstPage: 1, start: { size: 10 }, end: { size: 10, notes: 0 }, breaksWords: false },
  };

  it('stand where the pages are, in the place of their own little text', () => {
    const merged = withRecognisedPages(
      part,
      [page(3, 'Page three'), page(2, 'Page two with its Stamp')],
      range,
    );
    expect(texts(merged)).toEqual(['First.', 'Page two with its Stamp', 'Page three', 'Last.']);
    expect(merged).not.toHaveProperty('pagesToRecognise');
  });

  it('leave the own text of a page on which nothing was recognised, and say where there is none at all', () => {
    const merged = withRecognisedPages(part, [page(2, ''), page(3, '')], range);
    expect(texts(merged)).toEqual(['First.', 'Stamp', 'Last.']);
    expect(merged.warnings).toEqual([{ code: 'page-without-text', page: 3 }]);
  });

  it('tell how sure the machine was, by words', () => {
    const merged = withRecognisedPages(part, [page(2, 'one two three', 1), page(3, 'four', 0.6)], range);
    expect(merged.recognised).toEqual({ words: 4, confidence: 0.9 });
  });

  it('let nothing go on over a border where a page was recognised', () => {
    expect(withRecognisedPages(part, [page(2, 'Two')], range).seam).toMatchObject({ start: { size: 10 } });
    const all = withRecognisedPages(part, [page(1, 'One'), page(4, 'Four')], range);
    expect(all.seam).toMatchObject({ start: null, end: null });
  });
});
