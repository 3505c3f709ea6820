import { jest } from '@jest/globals';
import { outline, type Pdf, readDrawn, tablesOf, write } from '../../../../../test/support/drawn-pdf.js';

// Starting processes and loading pdf.js takes long on a busy machine.
jest.setTimeout(60_000);

describe('parsePdf on tagged documents', () => {
  const tagged = { tagged: true, pdfVersion: '1.7', lang: 'en-US' };

  function add(pdf: Pdf, parent: { add(child: never): unknown }, type: string, paint?: () => void) {
    const element = paint ? pdf.struct(type, {}, paint) : pdf.struct(type);
    parent.add(element as never);
    return element;
  }

  it('follows the tags where geometry would mislead, and leaves out artifacts and contents', async () => {
    const document = await readDrawn((pdf) => {
      const root = pdf.struct('Document');
      pdf.addStructure(root);
      add(pdf, root, 'P', () => write(pdf, 'Read second.', 50, 100));
      add(pdf, root, 'H2', () => write(pdf, 'Heading in plain print', 50, 300));
      const list = add(pdf, root, 'L');
      const item = add(pdf, list, 'LI');
      add(pdf, item, 'LBody', () => write(pdf, '• An item', 50, 200));
      const contents = add(pdf, root, 'TOC');
      add(pdf, contents, 'TOCI', () => write(pdf, 'Deductibles 7', 50, 400));
      pdf.markContent('Artifact', { type: 'Pagination' });
      write(pdf, 'Page 1', 50, 780);
      pdf.endMarkedContent();
      root.end();
    }, tagged);
    expect(outline(document)).toEqual([
      'paragraph: Read second.',
      'heading: Heading in plain print',
      'list-item: An item',
    ]);
  });

  it('finds columns, labels and shared cells of a table whose tags tell no spans', async () => {
    const cells = [
      [
        ['TH', 'Event', 50],
        ['TH', 'Service', 150],
        ['TH', 'Network provider', 260],
        ['TH', 'Limits', 420],
      ],
      [
        ['TH', 'If you have a test', 50],
        ['TD', 'X-ray', 150],
        ['TD', '$10', 260],
        ['TD', 'None', 420],
      ],
      [
        ['TD', 'Scan', 150],
        ['TD', '$50', 260],
      ],
    ] as const;
    const document = await readDrawn((pdf) => {
      const root = pdf.struct('Document');
      pdf.addStructure(root);
      const table = add(pdf, root, 'Table');
      add(pdf, table, 'Caption', () => write(pdf, 'What you pay', 50, 80));
      cells.forEach((row, r) => {
        const tr = add(pdf, table, 'TR');
        for (const [type, text, x] of row) add(pdf, tr, type, () => write(pdf, text, x, 100 + r * 20));
      });
      root.end();
    }, tagged);
    expect(outline(document)).toEqual([
      'If you have a test/X-ray | Network provider: $10 | Limits: None',
      'If you have a test/Scan | Network provider: $50 | Limits: None',
    ]);
    expect(tablesOf(document.blocks)[0]!.caption).toBe('What you pay');
  });

  it('also reads text that the tags do not mention', async () => {
    const document = await readDrawn((pdf) => {
      const root = pdf.struct('Document');
      pdf.addStructure(root);
      add(pdf, root, 'P', () => write(pdf, 'Tagged text that is longer than the rest of the page.', 50, 100));
      root.end();
      write(pdf, 'Forgotten text.', 50, 200);
    }, tagged);
    expect(outline(document)).toEqual([
      'paragraph: Tagged text that is longer than the rest of the page.',
      'paragraph: Forgotten text.',
    ]);
  });
});
