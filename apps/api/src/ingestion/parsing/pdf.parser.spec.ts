import { jest } from '@jest/globals';
import { bold, draw, outline, type Pdf, readDrawn, write } from '../../../../../test/support/drawn-pdf.js';
import { parsePdf } from './pdf.parser.js';

// Starting processes and loading pdf.js takes long on a busy machine.
jest.setTimeout(60_000);

describe('parsePdf on prose without tags', () => {
  it('tells headings by their print and joins the lines of a paragraph', async () => {
    const document = await readDrawn((pdf) => {
      write(pdf.fontSize(20), 'Your plan', 50, 100);
      pdf.fontSize(10);
      write(pdf, 'The plan pays for covered care that you receive from a provider of the', 50, 140);
      write(pdf, 'network. You pay the deductible first.', 50, 152);
      bold(pdf, 'Exclusions', 50, 190);
      write(pdf, 'We do not pay for cosmetic surgery or for anything that is not medically', 50, 206);
      write(pdf, 'necessary, and not for travel.', 50, 218);
    });
    expect(outline(document)).toEqual([
      'heading: Your plan',
      'paragraph: The plan pays for covered care that you receive from a provider of the network. You pay the deductible first.',
      'heading: Exclusions',
      'paragraph: We do not pay for cosmetic surgery or for anything that is not medically necessary, and not for travel.',
    ]);
    expect(document.blocks.map((block) => 'level' in block && block.level)).toEqual([1, false, 2, false]);
  });

  it('keeps bullets and numbers as items of a list and gives them their further lines', async () => {
    const document = await readDrawn((pdf) => {
      write(pdf, 'We do not cover any of the following services, whoever provides them:', 50, 100);
      write(pdf, '•', 60, 116);
      write(pdf, 'care outside of the country, unless it is an emergency or was agreed in', 75, 116);
      write(pdf, 'writing before', 75, 128);
      write(pdf, '•', 60, 140);
      write(pdf, 'infertility treatment', 75, 140);
      write(pdf, 'Everything else is covered if a physician of the network has ordered it.', 50, 168);
    });
    expect(outline(document)).toEqual([
      'paragraph: We do not cover any of the following services, whoever provides them:',
      'list-item: care outside of the country, unless it is an emergency or was agreed in writing before',
      'list-item: infertility treatment',
      'paragraph: Everything else is covered if a physician of the network has ordered it.',
    ]);
  });

  it('reads the left column to its end before the right one', async () => {
    const words = 'covered care is paid after the deductible has been met by';
    const document = await readDrawn((pdf) => {
      write(pdf.fontSize(18), 'A title over both of the columns below', 50, 60);
      pdf.fontSize(10);
      for (let i = 0; i < 8; i += 1) write(pdf, `left${i} ${words}`, 50, 100 + i * 12);
      for (let i = 0; i < 8; i += 1) write(pdf, `right${i} ${words}`, 330, 100 + i * 12);
    });
    const text = document.blocks.map((block) => ('text' in block ? block.text : '')).join(' ');
    expect(text.match(/title|left\d|right\d/g)).toEqual([
      'title',
      ...Array.from({ length: 8 }, (_, i) => `left${i}`),
      ...Array.from({ length: 8 }, (_, i) => `right${i}`),
    ]);
  });

  it('decides by the rest of the document whether a hyphen at a line end belongs to the word', async () => {
    const document = await readDrawn((pdf) => {
      write(
        pdf,
        'The treatment is paid in-network. An out-of-network treatment costs more. The treat-',
        50,
        100,
      );
      write(pdf, 'ment of a child is free, but not when it is out-', 50, 112);
      write(pdf, 'of-network. Call 1-800-318-', 50, 124);
      write(pdf, '2596 for help with a treatment.', 50, 136);
    });
    expect(outline(document)[0]).toContain(
      'The treatment of a child is free, but not when it is out-of-network.',
    );
    expect(outline(document)[0]).toContain('Call 1-800-318-2596');
  });

  it('joins a sentence that goes on overleaf and drops running heads and page numbers', async () => {
    const document = await readDrawn((pdf) => {
      for (const [i, text] of [
        'The plan pays for care that is',
        'medically necessary and was ordered',
        'by a physician.',
      ].entries()) {
        if (i > 0) pdf.addPage();
        pdf.font('Helvetica').fontSize(10);
        write(pdf, 'Fernhollow Benefits Booklet', 50, 30);
        write(pdf, text, 50, 100);
        write(pdf, `Page ${i + 1} of 3`, 280, 780);
      }
    });
    expect(outline(document)).toEqual([
      'paragraph: The plan pays for care that is medically necessary and was ordered by a physician.',
    ]);
    const [block] = document.blocks;
    expect(block).toMatchObject({ page: 1, lines: [{ page: 1 }, { page: 2 }, { page: 3 }] });
  });

  it('leaves out the entries of a table of contents', async () => {
    const document = await readDrawn((pdf) => {
      write(pdf.fontSize(20), 'Contents', 50, 100);
      pdf.fontSize(10);
      for (let i = 0; i < 6; i += 1) {
        write(pdf, `Section ${i} ..............................`, 50, 140 + i * 14);
        write(pdf, String(i * 3), 500, 140 + i * 14);
      }
      write(pdf, 'This booklet describes what the plan pays for and what it does not.', 50, 300);
    });
    expect(outline(document).join()).not.toContain('Section 3');
    expect(outline(document).at(-1)).toContain('This booklet describes');
  });

  it('says where a text stands, in shares of the page from its upper left corner', async () => {
    const document = await readDrawn((pdf) => write(pdf, 'Deductible', 150, 400));
    const { box } = document.blocks[0]!;
    expect(box!.x).toBeCloseTo(0.25, 2);
    expect(box!.y).toBeCloseTo(0.5, 1);
    expect(box!.width).toBeGreaterThan(0.05);
    expect(box!.height).toBeLessThan(0.03);
  });

  it('reads pages that lie on their side', async () => {
    const document = await readDrawn((pdf) => {
      pdf.rotate(90, { origin: [300, 400] });
      write(pdf, 'This text runs down the page, and you', 150, 300);
      write(pdf, 'turn your head to read it.', 150, 312);
    });
    expect(outline(document)).toEqual([
      'paragraph: This text runs down the page, and you turn your head to read it.',
    ]);
    // It runs downwards, so its box is higher than wide.
    expect(document.blocks[0]!.box!.height).toBeGreaterThan(document.blocks[0]!.box!.width);
  });

  it('reads what was filled into a form, beside its labels', async () => {
    const document = await readDrawn((pdf) => {
      pdf.initForm();
      write(pdf, 'Member name:', 50, 100);
      pdf.formText('member', 130, 96, 150, 16, { value: 'Alice Example' });
    });
    expect(outline(document)).toEqual(['paragraph: Member name: Alice Example']);
  });
});

describe('parsePdf on files that it cannot read', () => {
  const failing = async (bytes: Buffer) =>
    parsePdf(bytes, { maxPages: 3 }).then(
      () => 'read',
      (error: { code?: string }) => error.code,
    );

  it('tells a password from damage, and needs none where only changes are forbidden', async () => {
    const paint = (pdf: Pdf) => void write(pdf, 'Secret terms', 50, 100);
    expect(await failing(await draw(paint, { userPassword: 'sesame' }))).toBe('password-protected');
    expect(await failing(await draw(paint, { ownerPassword: 'sesame' }))).toBe('read');
    expect(await failing(Buffer.from('%PDF-1.7\nnothing that follows makes sense'))).toBe('corrupt-file');
  });

  it('refuses pages without any text, and too many pages', async () => {
    expect(await failing(await draw((pdf) => void pdf.rect(50, 50, 100, 100).fill('red')))).toBe('no-text');
    const long = await draw((pdf) => {
      for (let i = 0; i < 3; i += 1) pdf.addPage();
    });
    expect(await failing(long)).toBe('too-complex');
  });

  it('names the pages without text beside those with some', async () => {
    const document = await readDrawn((pdf) => {
      write(pdf, 'Some text', 50, 100);
      pdf.addPage();
    });
    expect(document.warnings).toEqual([{ code: 'page-without-text', page: 2 }]);
  });
});

describe('parsePdf on fonts that are not embedded', () => {
  it('reads Shift JIS by the system decoder', async () => {
    const objects = [
      '<< /Type /Catalog /Pages 2 0 R >>',
      '<< /Type /Pages /Kids [3 0 R] /Count 1 /MediaBox [0 0 595 842] >>',
      '<< /Type /Page /Parent 2 0 R /Resources << /Font << /F 4 0 R >> >> /Contents 7 0 R >>',
      '<< /Type /Font /Subtype /Type0 /BaseFont /MS-Gothic /DescendantFonts [5 0 R] /Encoding /90ms-RKSJ-H >>',
      '<< /Type /Font /Subtype /CIDFontType2 /BaseFont /MS-Gothic /FontDescriptor 6 0 R /DW 1000 /CIDSystemInfo << /Registry (Adobe) /Ordering (Japan1) /Supplement 2 >> >>',
      '<< /Type /FontDescriptor /FontName /MS-Gothic /Flags 4 /FontBBox [0 0 1000 1000] /ItalicAngle 0 /Ascent 859 /Descent -140 /CapHeight 700 /StemV 80 >>',
      '<< /Length 60 >>\nstream\nBT /F 24 Tf 72 700 Td <95DB8CAF82CC8FEA8F8A2041> Tj ET\nendstream',
    ];
    const body = objects.map((object, i) => `${i + 1} 0 obj\n${object}\nendobj\n`).join('');
    const bytes = Buffer.from(`%PDF-1.4\n${body}trailer\n<< /Root 1 0 R /Size 8 >>\n%%EOF`);
    const document = await parsePdf(bytes, { maxPages: 1 });
    expect(outline(document)).toEqual(['paragraph: 保険の場所 A']);
  });
});
