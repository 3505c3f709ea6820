import type { Block } from '../parsing/extracted-document.js';
import { blocksOfPages } from './ocr-blocks.js';
import type { OcrLine, PlacedText } from './ocr-engine.js';

const SIZE = 40;

/** A line of words as an engine finds them: `at` is where each word begins, in pixels. */
function line(y: number, words: [at: number, text: string, confidence?: number][], size = SIZE): OcrLine {
  return {
    size,
    baseline: { left: y, right: y },
    words: words.map(([at, text, confidence = 0.9]) => ({
      text,
      confidence,
      rect: { x0: at, y0: y - 0.7 * size, x1: at + 0.5 * size * text.length, y1: y + 0.2 * size },
    })),
  };
}

const sentence = (y: number, text: string, confidence?: number, size = SIZE): OcrLine => {
  let at = 100;
  const words = text.split(' ').map((word): [number, string, number?] => {
    const begin = at;
    at += 0.5 * size * (word.length + 1);
    return [begin, word, confidence];
  });
  return line(y, words, size);
};

const page = (lines: OcrLine[], rest: Partial<PlacedText> = {}): PlacedText => ({
  kind: 'placed',
  width: 2_000,
  height: 2_800,
  lines,
  drawn: [],
  turn: 0,
  skew: 0,
  ...rest,
});

const read = (text: PlacedText, minConfidence = 0.4) => blocksOfPages([{ page: 3, text }], minConfidence)[0]!;

const textsOf = (blocks: Block[]) => blocks.map((block) => (block.kind === 'table' ? 'table' : block.text));

describe('blocksOfPages', () => {
  it('makes paragraphs of lines, with page, places and how sure the engine was', () => {
    const { blocks, words, confidence } = read(
      page([
        sentence(600, 'The deductible is what you pay before the', 0.9),
        sentence(650, 'plan pays anything.', 0.7),
        sentence(900, 'Emergency care is covered everywhere.', 0.8),
      ]),
    );
    expect(textsOf(blocks)).toEqual([
      'The deductible is what you pay before the plan pays anything.',
      'Emergency care is covered everywhere.',
    ]);
    expect(blocks[0]).toMatchObject({
      kind: 'paragraph',
      page: 3,
      lines: [{ start: 0, page: 3 }, { start: 42 }],
    });
    expect(blocks[0]).toHaveProperty('confidence', expect.closeTo((8 * 0.9 + 3 * 0.7) / 11));
    expect(blocks[0]!.box!.y).toBeCloseTo((600 - 0.78 * SIZE) / 2_800, 3);
    expect([words, confidence]).toEqual([16, expect.closeTo((8 * 0.9 + 3 * 0.7 + 5 * 0.8) / 16)]);
  });

  it('leaves out what the engine was not sure of, and marks without a letter', () => {
    const { blocks, words } = read(
      page([
        line(600, [
          [100, 'Copay'],
          [300, '~~', 0.1],
          [400, '$40'],
        ]),
        line(800, [
          [100, '|', 0.9],
          [130, '—', 0.9],
        ]),
        line(1_000, [[100, 'SSeS', 0.39]]),
      ]),
    );
    expect(textsOf(blocks)).toEqual(['Copay $40']);
    expect(words).toBe(2);
  });

  it('does not take what differs in the measuring only for another print', () => {
    const lines = [600, 650, 700, 750].map((y, i) =>
      sentence(y, 'words that go on and on and on', 0.9, SIZE * (1 + 0.05 * (i % 2))),
    );
    expect(read(page(lines)).blocks).toHaveLength(1);
    const { blocks } = read(page([sentence(500, 'Dental Care', 0.9, 1.7 * SIZE), ...lines]));
    expect(blocks.map(({ kind }) => kind)).toEqual(['heading', 'paragraph']);
  });

  it('keeps the rows of a table together, by the lines drawn around its cells', () => {
    const rows = [
      ['Service', 'You pay'],
      ['Emergency room', '$250'],
      ['Specialist visit', '$40'],
    ];
    const lines = rows.flatMap(([service, pays], i) => [
      { ...sentence(660 + 100 * i, service!) },
      line(662 + 100 * i, [
        [1_000, pays!.split(' ')[0]!],
        ...(pays!.includes(' ') ? [[1_100, 'pay'] as [number, string]] : []),
      ]),
    ]);
    const across = [600, 700, 800, 900].map((y) => ({ x0: 80, y0: y, x1: 1_500, y1: y + 3 }));
    const down = [80, 960, 1_500].map((x) => ({ x0: x, y0: 600, x1: x + 3, y1: 903 }));
    const { blocks } = read(page(lines, { drawn: [...across, ...down] }));
    const [table] = blocks;
    if (table?.kind !== 'table') throw new Error('no table');
    expect(table.rows.map(({ label, cells }) => [label, ...cells.map((cell) => cell.text)])).toEqual(
      expect.arrayContaining([
        ['Emergency room', '$250'],
        ['Specialist visit', '$40'],
      ]),
    );
    expect(table.page).toBe(3);
  });

  it('gives places on the page as it was before it was turned', () => {
    const [upright, turned] = [0, 2].map(
      (turn) => read(page([sentence(600, 'One line of text.')], { turn: turn as 0 | 2 })).blocks[0]!.box!,
    );
    expect(turned!.x + turned!.width).toBeCloseTo(1 - upright!.x, 3);
    expect(turned!.y + turned!.height).toBeCloseTo(1 - upright!.y, 3);
  });

  it('leaves out what stands at the head of all pages', () => {
    const pages = [1, 2, 3].map((number) => ({
      page: number,
      text: page([sentence(100, 'Silver Plan Booklet'), sentence(900, `Text of page ${number} alone.`)]),
    }));
    const read = blocksOfPages(pages, 0.4);
    expect(read.flatMap(({ blocks }) => textsOf(blocks))).toEqual([
      'Text of page 1 alone.',
      'Text of page 2 alone.',
      'Text of page 3 alone.',
    ]);
  });

  it('takes the Markdown of an engine that tells neither places nor how sure it is', () => {
    const text = '# Silver Plan\n\nThe plan pays.\n\n| Service | You pay |\n|---|---|\n| Urgent care | $60 |';
    const [read] = blocksOfPages([{ page: 2, text: { kind: 'plain', text } }], 0.4);
    expect(read).toMatchObject({
      words: 11,
      confidence: undefined,
      blocks: [
        { kind: 'heading', text: 'Silver Plan', page: 2, box: null },
        { kind: 'paragraph', text: 'The plan pays.' },
        { kind: 'table', page: 2, rows: [{ label: 'Urgent care', page: 2, cells: [{ text: '$60' }] }] },
      ],
    });
    expect(read!.blocks[0]).not.toHaveProperty('confidence');
    expect(blocksOfPages([{ page: 1, text: { kind: 'plain', text: ' \n---\n' } }], 0.4)[0]!.blocks).toEqual(
      [],
    );
  });
});
