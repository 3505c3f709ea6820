import { Document, HeadingLevel, ImageRun, Packer, Paragraph, Table, TableCell, TableRow } from 'docx';
import { parseDocx } from './docx.parser.js';

const row = (texts: string[], header = false) =>
  new TableRow({
    tableHeader: header,
    children: texts.map((text) => new TableCell({ children: [new Paragraph(text)] })),
  });

describe('parseDocx', () => {
  it('reads titles, headings, lists and tables with their headers', async () => {
    const bytes = await Packer.toBuffer(
      new Document({
        sections: [
          {
            children: [
              new Paragraph({ text: 'Claim letter', heading: HeadingLevel.TITLE }),
              new Paragraph({ text: 'What we decided', heading: HeadingLevel.HEADING_2 }),
              new Paragraph('We paid your claim in part.'),
              new Paragraph({ text: 'Send the bill', bullet: { level: 0 } }),
              new Table({ rows: [row(['Service', 'We paid'], true), row(['X-ray', '$80'])] }),
            ],
          },
        ],
      }),
    );
    const { blocks, pageCount } = await parseDocx(bytes);
    expect(pageCount).toBeNull();
    expect(blocks).toMatchObject([
      { kind: 'heading', level: 1, text: 'Claim letter' },
      { kind: 'heading', level: 2, text: 'What we decided' },
      { kind: 'paragraph', text: 'We paid your claim in part.' },
      { kind: 'list-item', text: 'Send the bill' },
      { kind: 'table', rows: [{ label: 'X-ray', cells: [{ header: 'We paid', text: '$80' }] }] },
    ]);
  });

  it('refuses a damaged file and one without text', async () => {
    await expect(parseDocx(Buffer.from('PK\u0003\u0004 broken'))).rejects.toMatchObject({
      code: 'corrupt-file',
    });
    const empty = await Packer.toBuffer(new Document({ sections: [{ children: [new Paragraph('')] }] }));
    await expect(parseDocx(empty)).rejects.toMatchObject({ code: 'no-text' });
  });

  it('offers pictures to those who can read them, behind the paragraph in which they stand', async () => {
    const picture = Buffer.alloc(200);
    picture.write('89504e470d0a1a0a0000000d49484452000003e8000003e8', 0, 'hex');
    const image = new ImageRun({ type: 'png', data: picture, transformation: { width: 100, height: 100 } });
    const children = [new Paragraph('Before'), new Paragraph({ children: [image] }), new Paragraph('After')];
    const { blocks, pictures } = await parseDocx(
      await Packer.toBuffer(new Document({ sections: [{ children }] })),
    );
    expect(blocks).toHaveLength(2);
    expect(pictures).toMatchObject([{ after: 0, page: null }]);
    expect(pictures![0]!.bytes).toHaveLength(200);
    const alone = new Document({ sections: [{ children: [new Paragraph({ children: [image] })] }] });
    expect(await parseDocx(await Packer.toBuffer(alone))).toMatchObject({
      blocks: [],
      pictures: { length: 1 },
    });
  });
});
