import type { NewPassage } from '../../rag/index.js';
import type { Block, TableBlock, TableRow, TextBlock } from '../parsing/extracted-document.js';
import { randomDocument } from '../../../../../test/support/random-document.js';
import { makePassages } from './make-passages.js';
import { countWords, MAX_WORDS } from './words.js';

const heading = (text: string, level = 1): TextBlock => ({
  kind: 'heading',
  level,
  text,
  page: null,
  box: null,
});
const paragraph = (text: string): TextBlock => ({ kind: 'paragraph', text, page: null, box: null });
const item = (text: string): TextBlock => ({ kind: 'list-item', text, page: null, box: null });
const row = (label: string, cells: [string, string][], group: string | null = null): TableRow => ({
  ...{ group, label, page: null, box: null },
  cells: cells.map(([header, text]) => ({ header, text, box: null })),
});
const table = (rows: TableRow[], caption: string | null = null): TableBlock => ({
  ...{ kind: 'table', caption, rows, page: null, box: null },
});
const words = (count: number, from = 0) => Array.from({ length: count }, (_, i) => `w${from + i}`).join(' ');
const texts = (blocks: Block[]) => makePassages({ blocks }).map((passage) => passage.text);

describe('makePassages on prose', () => {
  it('joins short paragraphs of a section and keeps sections apart, with their paths', () => {
    const passages = makePassages({
      blocks: [
        heading('Plan'),
        paragraph('One.'),
        paragraph('Two.'),
        heading('Limits', 2),
        paragraph('Three.'),
        heading('Appeals', 2),
        paragraph('Four.'),
      ],
    });
    expect(
      passages.map(({ ordinal, headingPath, text }) => [ordinal, headingPath.join(' > '), text]),
    ).toEqual([
      [0, 'Plan', 'One.\n\nTwo.'],
      [1, 'Plan > Limits', 'Three.'],
      [2, 'Plan > Appeals', 'Four.'],
    ]);
  });

  it('ends passages between sentences, not at abbreviations or within amounts', () => {
    const sentence = `You pay $1,500.00 (e.g. For Dr. Smith) ${words(30)}.`;
    const made = texts([paragraph([sentence, sentence, sentence, sentence].join(' '))]);
    expect(made).toEqual([`${sentence} ${sentence}`, `${sentence} ${sentence}`]);
  });

  it('cuts a sentence that is too long itself', () => {
    const made = texts([paragraph(`${words(60)}; ${words(60, 60)}.`)]);
    expect(made).toEqual([`${words(60)};`, `${words(60, 60)}.`]);
  });

  it('keeps a list with what introduces it and repeats that when the list goes on', () => {
    const intro = 'We do not cover these services:';
    const made = texts([
      paragraph(words(70)),
      paragraph(intro),
      ...Array.from({ length: 4 }, (_, i) => item(words(30, i))),
    ]);
    expect(made).toEqual([
      words(70),
      `${intro}\n• ${words(30, 0)}\n• ${words(30, 1)}`,
      `${intro}\n• ${words(30, 2)}\n• ${words(30, 3)}`,
    ]);
  });

  it('keeps a question with its answer', () => {
    expect(texts([paragraph(words(80)), paragraph('Is it free?'), paragraph(words(40, 100))])).toEqual([
      words(80),
      `Is it free?\n\n${words(40, 100)}`,
    ]);
  });

  it('keeps a title that has nothing under it', () => {
    expect(texts([heading('Part I'), heading('Part II'), paragraph('Text.')])).toEqual(['Part I', 'Text.']);
    expect(texts([paragraph('Text.'), heading('The end')])).toEqual(['Text.', 'The end']);
  });

  it('says on which page and where a passage begins', () => {
    const box = (y: number) => ({ x: 0.1, y, width: 0.5, height: 0.02 });
    const first = `${words(50)}.`;
    const second = `${words(50, 50)}.`;
    const block: TextBlock = {
      ...paragraph(`${first} ${second}`),
      lines: [
        { start: 0, page: 1, box: box(0.9) },
        { start: first.length + 1, page: 2, box: box(0.1) },
        { start: first.length + 1 + 100, page: 2, box: box(0.12) },
      ],
    };
    expect(makePassages({ blocks: [block] }).map(({ page, box: around }) => [page, around])).toEqual([
      [1, { x: 0.1, y: 0.9, width: 0.5, height: 0.02 }],
      [2, { x: 0.1, y: 0.1, width: 0.5, height: 0.04 }],
    ]);
  });
});

describe('makePassages on tables', () => {
  it('makes a passage of each row, with its labels and headers', () => {
    const [passage] = makePassages({
      blocks: [
        heading('Benefits'),
        table(
          [
            row(
              'X-ray',
              [
                ['You pay > In', '$10'],
                ['Limits', 'None'],
              ],
              'If you have a test',
            ),
          ],
          'Costs',
        ),
      ],
    });
    expect(passage).toMatchObject({
      kind: 'table-row',
      text: 'If you have a test — X-ray | You pay > In: $10 | Limits: None',
      headingPath: ['Benefits', 'Costs'],
      row: { caption: 'Costs', group: 'If you have a test', label: 'X-ray' },
    });
    expect(passage!.row!.cells.map(({ start, end }) => passage!.text.slice(start, end))).toEqual([
      '$10',
      'None',
    ]);
  });

  it('does without labels or headers where a table has none', () => {
    expect(
      texts([
        table([
          row('', [
            ['', 'a'],
            ['', 'b'],
          ]),
          row('only a label', []),
        ]),
      ]),
    ).toEqual(['a | b', 'only a label']);
  });

  it('cuts a long row between cells, then inside a cell, and repeats the label', () => {
    const long = `${words(60)}. ${words(60, 60)}.`;
    expect(
      texts([
        table([
          row('Visit', [
            ['Cost', '$25'],
            ['Limits', long],
            ['Notes', words(20)],
          ]),
        ]),
      ]),
    ).toEqual([
      `Visit | Cost: $25 | Limits: ${words(60)}.`,
      `Visit | Limits: ${words(60, 60)}. | Notes: ${words(20)}`,
    ]);
  });

  it('tells a label that is a text of its own once in full, and shortens it in the rows', () => {
    const label = words(40);
    const made = texts([table([row('A', [['', '1']], label), row('B', [['', '2']], label)])]);
    expect(made[0]).toBe(label);
    expect(made).toHaveLength(3);
    expect(made[2]).toMatch(/^w0 w1 .* — B \| 2$/);
  });
});

const tokens = (text: string) => text.match(/[\p{L}\p{N}$%]+/gu) ?? [];
const tokensOf = (block: Block) =>
  block.kind === 'table'
    ? block.rows
        .flatMap((r) => [r.group ?? '', r.label, ...r.cells.flatMap((c) => [c.header, c.text])])
        .flatMap(tokens)
    : tokens(block.text);

describe('makePassages on any document', () => {
  const cases = Array.from({ length: 300 }, (_, seed) => {
    const blocks = randomDocument(seed);
    return { seed, blocks, passages: makePassages({ blocks }) };
  });
  const each = (check: (passage: NewPassage) => void) =>
    cases.forEach(({ passages }) => passages.forEach(check));

  it('numbers passages from 0 without gaps', () => {
    for (const { passages } of cases)
      expect(passages.map(({ ordinal }) => ordinal)).toEqual(passages.map((_, i) => i));
  });

  it('makes none empty and none longer than the limit', () => {
    each(({ text }) => {
      expect(text).toBe(text.trim());
      expect(text).toMatch(/\S/);
      expect(countWords(text)).toBeLessThanOrEqual(MAX_WORDS);
    });
  });

  it('says exactly where each cell stands in the text', () => {
    each(({ text, row: made }) => {
      for (const cell of made?.cells ?? []) {
        expect(text.slice(cell.start, cell.end)).toBe(cell.text);
        if (cell.header) expect(text.slice(0, cell.start)).toMatch(/: $/);
      }
      if (made?.label) expect(text).toContain(made.label);
      if (made?.group) expect(text.startsWith(made.group)).toBe(true);
    });
  });

  it('loses no word of the document', () => {
    for (const { seed, blocks, passages } of cases) {
      const kept = new Map<string, number>();
      const seen = passages.flatMap(({ text, headingPath }) => [
        ...tokens(text),
        ...headingPath.flatMap(tokens),
      ]);
      for (const token of seen) kept.set(token, (kept.get(token) ?? 0) + 1);
      const wanted = new Map<string, number>();
      // A title counts once, however many passages it stands over.
      for (const token of blocks.flatMap(tokensOf)) wanted.set(token, (wanted.get(token) ?? 0) + 1);
      for (const [token, count] of wanted)
        expect({ seed, token, kept: (kept.get(token) ?? 0) >= count }).toMatchObject({ kept: true });
    }
  });

  it('gives the same passages for the same document', () => {
    for (const { blocks, passages } of cases.slice(0, 20)) expect(makePassages({ blocks })).toEqual(passages);
  });
});
