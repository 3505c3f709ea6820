import { zipFile } from '../../../../../../test/support/zip-file.js';
import { parsePptx } from './pptx.parser.js';

const REL = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
const run = (text: string, bold = '') => `<a:r><a:rPr ${bold}/><a:t>${text}</a:t></a:r>`;
const paragraph = (text: string, properties = '') => `<a:p><a:pPr>${properties}</a:pPr>${run(text)}</a:p>`;
const shape = (body: string, placeholder?: string, rest = '') =>
  `<p:sp><p:nvSpPr><p:cNvPr id="1" name="x" ${rest}/><p:nvPr>${placeholder ? `<p:ph ${placeholder}/>` : ''}</p:nvPr></p:nvSpPr><p:txBody>${body}</p:txBody></p:sp>`;
const slide = (shapes: string, attributes = '') =>
  `<?xml version="1.0"?><p:sld ${attributes}><p:cSld><p:spTree>${shapes}</p:spTree></p:cSld></p:sld>`;
const relations = (...targets: [id: string, type: string, target: string][]) =>
  `<Relationships>${targets.map(([id, type, target]) => `<Relationship Id="${id}" Type="${REL}/${type}" Target="${target}"/>`).join('')}</Relationships>`;

/** A presentation of these slides, with whatever other parts they need. */
function pptx(slides: string[], parts: Record<string, string | Uint8Array> = {}): Buffer {
  const ids = slides.map((_, i) => `<p:sldId id="${i}" r:id="r${i}"/>`).join('');
  return zipFile({
    'ppt/presentation.xml': `<p:presentation><p:sldIdLst>${ids}</p:sldIdLst></p:presentation>`,
    'ppt/_rels/presentation.xml.rels': relations(
      ...slides.map((_, i) => [`r${i}`, 'slide', `slides/slide${i}.xml`] as [string, string, string]),
    ),
    ...Object.fromEntries(slides.map((content, i) => [`ppt/slides/slide${i}.xml`, content])),
    ...parts,
  });
}

const parse = (bytes: Buffer) => parsePptx(bytes, { maxPages: 10 });

/** The header of a picture of this many pixels. */
function png(width: number, height: number): Buffer {
  const bytes = Buffer.alloc(200);
  bytes.write('89504e470d0a1a0a0000000d49484452', 0, 'hex');
  bytes.writeUInt32BE(width, 16);
  bytes.writeUInt32BE(height, 20);
  return bytes;
}

describe('parsePptx', () => {
  it('reads slides as pages, with title, list, text box and notes', () => {
    const shapes =
      shape(paragraph('A copay is &lt; $40') + paragraph('No list', '<a:buNone/>'), 'idx="1"') +
      shape(paragraph('Beside it'), undefined) +
      `<p:grpSp>${shape(paragraph('In a group', '<a:buChar char="•"/>'))}</p:grpSp>` +
      shape(paragraph('Costs'), 'type="title"');
    const { blocks, pageCount } = parse(
      pptx([slide(shapes), slide(shape(paragraph('Page two'), 'type="ctrTitle"'))], {
        'ppt/slides/_rels/slide0.xml.rels': relations(['n', 'notesSlide', '../notesSlides/notes0.xml']),
        'ppt/notesSlides/notes0.xml': slide(shape(paragraph('Say it slowly'), 'type="body"')),
      }),
    );
    expect(pageCount).toBe(2);
    expect(blocks).toMatchObject([
      { kind: 'heading', level: 1, text: 'Costs', page: 1 },
      { kind: 'list-item', text: 'A copay is < $40', page: 1 },
      { kind: 'paragraph', text: 'No list' },
      { kind: 'paragraph', text: 'Beside it' },
      { kind: 'list-item', text: 'In a group' },
      { kind: 'heading', level: 2, text: 'Notes', page: 1 },
      { kind: 'paragraph', text: 'Say it slowly', page: 1 },
      { kind: 'heading', level: 1, text: 'Page two', page: 2 },
    ]);
  });

  it('reads tables with their header and merged cells', () => {
    const cell = (text: string, attributes = '') =>
      `<a:tc ${attributes}><a:txBody>${paragraph(text)}</a:txBody></a:tc>`;
    const row = (...cells: string[]) => `<a:tr>${cells.join('')}</a:tr>`;
    const table = `<p:graphicFrame><a:tbl><a:tblPr firstRow="1"/>${row(cell('Service'), cell('In'), cell('Out'))}${row(
      cell('Visit'),
      cell('$30'),
      cell('$60'),
    )}${row(cell('X-ray'), cell('Not covered', 'gridSpan="2"'), cell('', 'hMerge="1"'))}</a:tbl></p:graphicFrame>`;
    const [block] = parse(pptx([slide(table)])).blocks;
    expect(block).toMatchObject({
      page: 1,
      rows: [
        {
          label: 'Visit',
          cells: [
            { header: 'In', text: '$30' },
            { header: 'Out', text: '$60' },
          ],
        },
        { label: 'X-ray', cells: [{ header: 'In', text: 'Not covered' }, { header: 'Out' }] },
      ],
    });
  });

  it('leaves out what stands on every slide, what is hidden and what is meant for older programs', () => {
    const text = JSON.stringify(
      parse(
        pptx([
          slide(
            shape(paragraph('Shown')) +
              shape(paragraph('Foot'), 'type="ftr"') +
              shape(paragraph('7'), 'type="sldNum"') +
              shape(paragraph('Secret'), undefined, 'hidden="1"') +
              `<mc:AlternateContent><mc:Choice>${shape(paragraph('New'))}</mc:Choice><mc:Fallback>${shape(paragraph('Old'))}</mc:Fallback></mc:AlternateContent>`,
          ),
          slide(shape(paragraph('Hidden slide')), 'show="0"'),
        ]),
      ).blocks.map((block) => block.kind !== 'table' && block.text),
    );
    expect(text).toBe('["Shown","New"]');
  });

  it('reads diagrams, and offers pictures that may show text', () => {
    const picture = (id: string) => `<p:pic><p:blipFill><a:blip r:embed="${id}"/></p:blipFill></p:pic>`;
    const { blocks, pictures } = parse(
      pptx(
        [
          slide(
            shape(paragraph('Title'), 'type="title"') +
              picture('i1') +
              picture('i2') +
              picture('i1') +
              '<p:graphicFrame><dgm:relIds r:dm="d"/></p:graphicFrame>',
          ),
        ],
        {
          'ppt/slides/_rels/slide0.xml.rels': relations(
            ['i1', 'image', '../media/a.png'],
            ['i2', 'image', '../media/logo.png'],
            ['d', 'diagramData', '../diagrams/data1.xml'],
          ),
          'ppt/media/a.png': png(800, 600),
          'ppt/media/logo.png': png(40, 40),
          'ppt/diagrams/data1.xml': `<dgm:dataModel><dgm:ptLst><dgm:pt>${paragraph('First step')}</dgm:pt></dgm:ptLst></dgm:dataModel>`,
        },
      ),
    );
    expect(blocks.map((block) => block.kind)).toEqual(['heading', 'list-item']);
    expect(pictures).toEqual([{ bytes: expect.anything(), after: 0, page: 1 }]);
  });

  it('reads the foot when there is nothing else, and refuses an empty or endless file', () => {
    expect(parse(pptx([slide(shape(paragraph('Foot'), 'type="ftr"'))])).blocks).toMatchObject([
      { text: 'Foot' },
    ]);
    const failing = (code: string) => expect.objectContaining({ code });
    expect(() => parse(pptx([slide('')]))).toThrow(failing('no-text'));
    expect(() => parse(pptx(Array.from({ length: 11 }, () => slide(''))))).toThrow(failing('too-complex'));
    expect(() => parse(zipFile({ 'ppt/other.xml': '<a/>' }))).toThrow(failing('corrupt-file'));
  });
});
