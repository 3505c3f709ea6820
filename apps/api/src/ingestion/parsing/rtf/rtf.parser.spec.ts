import { parseRtf } from './rtf.parser.js';

const parse = (source: string) => parseRtf(Buffer.from(`{\\rtf1\\ansi\\ansicpg1252 ${source}}`, 'latin1'));
const textsOf = (source: string) =>
  parse(source).blocks.map((block) => (block.kind === 'table' ? block.rows : block.text));

describe('parseRtf', () => {
  it('reads paragraphs, headings by style and outline, lists, and the title', () => {
    const { blocks, title } = parse(
      '{\\info{\\title My plan}{\\author Ann}}{\\stylesheet{\\s0 Normal;}{\\s2\\b heading 2;}}' +
        '\\pard\\s2 Costs\\par\\pard\\plain You pay a {\\b fixed} sum.\\par' +
        "\\pard\\outlinelevel0 Limits\\par\\pard{\\listtext\\'b7\\tab}One visit\\par\\pard{\\pntext 2.\\tab}Two visits\\par",
    );
    expect(title).toBe('My plan');
    expect(blocks).toMatchObject([
      { kind: 'heading', level: 2, text: 'Costs' },
      { kind: 'paragraph', text: 'You pay a fixed sum.' },
      { kind: 'heading', level: 1, text: 'Limits' },
      { kind: 'list-item', text: 'One visit' },
      { kind: 'list-item', text: '2. Two visits' },
    ]);
  });

  it('reads letters in code pages, in Unicode and as symbols', () => {
    expect(
      textsOf(
        "{\\fonttbl{\\f0\\fcharset0 Arial;}{\\f1\\fcharset204 Arial Cyr;}{\\f2\\fcharset128 Mincho;}}\\f0 M\\'e4dchen \\u8364? 500\\emdash so\\par" +
          "\\uc2\\u26085\\'93\\'fa\\par\\f1\\'d0\\'f3\\par\\f2\\'82\\'a0\\par\\{a\\}\\~\\\\\\par",
      ),
    ).toEqual(['Mädchen € 500—so', '日', 'Ру', 'あ', '{a} \\']);
  });

  it('leaves out what no reader sees', () => {
    expect(
      textsOf(
        '{\\header Page head}{\\footer 3}{\\*\\generator X;}{\\pict\\wmetafile8 010203}{\\v secret}{\\deleted old}' +
          '{\\field{\\*\\fldinst HYPERLINK "http://x"}{\\fldrslt the list}} of drugs\\bin6 \\}\\}ab\\par',
      ),
    ).toEqual(['the list of drugs']);
  });

  it('puts footnotes behind their paragraph', () => {
    expect(textsOf('Covered{\\footnote\\pard In-network only.} at 80%.\\par Next\\par')).toEqual([
      'Covered at 80%.',
      'In-network only.',
      'Next',
    ]);
  });

  it('reads tables with spanning cells, their header and what goes on from above', () => {
    const row = (cells: string, shape: string) => `\\trowd${shape}\\pard\\intbl ${cells}\\row`;
    const [rows] = textsOf(
      row('Service\\cell In\\cell Out\\cell', '\\trhdr\\cellx2000\\cellx4000\\cellx6000') +
        row('Visit\\cell $30\\cell $60\\cell', '\\cellx2000\\cellx4000\\cellx6000') +
        row('X-ray\\cell $80\\par each\\cell', '\\cellx2000\\cellx6010') +
        '\\pard After\\par',
    );
    expect(rows).toMatchObject([
      {
        label: 'Visit',
        cells: [
          { header: 'In', text: '$30' },
          { header: 'Out', text: '$60' },
        ],
      },
      {
        label: 'X-ray',
        cells: [
          { header: 'In', text: '$80 each' },
          { header: 'Out', text: '$80 each' },
        ],
      },
    ]);
  });

  it('refuses a file without text, and one that is nested without end', () => {
    const failing = (code: string) => expect.objectContaining({ code });
    expect(() => parse('')).toThrow(failing('no-text'));
    expect(() => parse('{'.repeat(3_000))).toThrow(failing('too-complex'));
  });
});
