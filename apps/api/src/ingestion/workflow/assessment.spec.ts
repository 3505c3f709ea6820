import type { ExtractedDocument } from '../parsing/index.js';
import { assess } from './assessment.js';

function extracted(texts: string[], rest: Partial<ExtractedDocument> = {}): ExtractedDocument {
  const blocks = texts.map((text) => ({ kind: 'paragraph' as const, text, page: 1, box: null }));
  return { format: 'pdf', title: null, pageCount: 3, blocks, warnings: [], ...rest };
}

const ENGLISH = 'The plan pays for physiotherapy after the deductible has been met by the member.';

describe('the assessment of a document', () => {
  it('counts pages, passages and words, also those in tables', async () => {
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
    expect(await assess(document, 2)).toMatchObject({ pages: 3, passages: 2, words: 14 + 4 });
  });

  it('names the pages that have no text or could not be read, and says why', async () => {
    const document = extracted([ENGLISH], {
      warnings: [
        { code: 'page-without-text', page: 2 },
        { code: 'page-unreadable', page: 3 },
        { code: 'output-truncated' },
      ],
    });
    expect(await assess(document, 1)).toMatchObject({
      pagesWithoutText: [2, 3],
      warnings: ['page-without-text', 'page-unreadable', 'output-truncated'],
    });
  });

  it.each([
    [ENGLISH, 'en'],
    ['Die Versicherung zahlt die Physiotherapie, sobald der Selbstbehalt erreicht ist.', 'de'],
    ['El plan paga la fisioterapia después de que se haya alcanzado el deducible.', 'es'],
  ])('tells the language of %j', async (text, language) => {
    expect((await assess(extracted([text]), 1)).language).toBe(language);
  });

  it('says no language where there is too little text', async () => {
    expect((await assess(extracted(['12 345']), 1)).language).toBeNull();
  });

  it.each([
    [ENGLISH, 0],
    ['\uFFFD\uFFFDab', 0.5],
    ['\uE000\uE001\uE002\uE003', 1],
    ['ab(cid:12)(cid:7)', 15 / 17],
    ['', 0],
  ])('finds how much of %j is garbled', async (text, ratio) => {
    expect((await assess(extracted([text]), 1)).garbledRatio).toBeCloseTo(ratio, 4);
  });
});
