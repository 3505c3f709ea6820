import { detailOf } from '../extraction/part-detail.js';
import type { Block, ExtractedDocument } from '../parsing/index.js';
import { assess } from './assessment.js';

type Extracted = Pick<ExtractedDocument, 'blocks' | 'warnings'>;

function extracted(texts: string[], warnings: ExtractedDocument['warnings'] = []): Extracted {
  const blocks = texts.map((text): Block => ({ kind: 'paragraph', text, page: 1, box: null }));
  return { blocks, warnings };
}

const assessed = (part: Extracted, passageCount = 1) =>
  assess({ pageCount: 3, passageCount, detail: detailOf(part), language: 'en', needsPassword: false });

const ENGLISH = 'The plan pays for physiotherapy after the deductible has been met by the member.';

describe('the assessment of a document', () => {
  it('counts pages, passages and words, also those in tables', () => {
    const table = {
      kind: 'table' as const,
      caption: null,
      page: 1,
      box: null,
      rows: [
        {
          group: null,
          label: 'Emergency room',
          page: 1,
          box: null,
          cells: [{ header: '', text: '$250 copay', box: null }],
        },
      ],
    };
    const document = extracted([ENGLISH]);
    document.blocks.push(table);
    expect(assessed(document, 2)).toMatchObject({ pages: 3, passages: 2, words: 14 + 4 });
  });

  it('names the pages that have no text or could not be read, and says why', () => {
    const document = extracted(
      [ENGLISH],
      [
        { code: 'page-without-text', page: 2 },
        { code: 'page-unreadable', page: 3 },
        { code: 'output-truncated' },
      ],
    );
    expect(assessed(document)).toMatchObject({
      pagesWithoutText: [2, 3],
      warnings: ['page-without-text', 'page-unreadable', 'output-truncated'],
    });
  });

  it.each([
    [ENGLISH, 0],
    ['\uFFFD\uFFFDab', 0.5],
    ['\uE000\uE001\uE002\uE003', 1],
    ['ab(cid:12)(cid:7)', 15 / 17],
    ['', 0],
  ])('finds how much of %j is garbled', (text, ratio) => {
    expect(assessed(extracted([text])).garbledRatio).toBeCloseTo(ratio, 4);
  });
});
