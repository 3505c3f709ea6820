import { jest } from '@jest/globals';
import { once } from 'node:events';
import PDFDocument from 'pdfkit';
import type { Block, ExtractedDocument, TableBlock } from './extracted-document.js';
import { parsePdf } from './pdf.parser.js';

// Starting processes and loading pdf.js takes long on a busy machine.
jest.setTimeout(60_000);

type Pdf = InstanceType<typeof PDFDocument>;

/** On a page of 600 by 800 points, in 10 point Helvetica. */
async function draw(paint: (pdf: Pdf) => void, options: Record<string, unknown> = {}): Promise<Buffer> {
  const pdf = new PDFDocument({ size: [600, 800], margin: 0, ...options });
  const chunks: Buffer[] = [];
  pdf.on('data', (chunk: Buffer) => chunks.push(chunk));
  const ended = once(pdf, 'end');
  pdf.font('Helvetica').fontSize(10);
  paint(pdf);
  pdf.end();
  await ended;
  return Buffer.concat(chunks);
}

async function read(
  paint: (pdf: Pdf) => void,
  options?: Record<string, unknown>,
): Promise<ExtractedDocument> {
  return parsePdf(await draw(paint, options), { maxPages: 100 });
}

const write = (pdf: Pdf, text: string, x: number, y: number) => pdf.text(text, x, y, { lineBreak: false });
const bold = (pdf: Pdf, text: string, x: number, y: number) => {
  write(pdf.font('Helvetica-Bold'), text, x, y);
  pdf.font('Helvetica');
};
const line = (pdf: Pdf, x0: number, y0: number, x1: number, y1: number) =>
  pdf.moveTo(x0, y0).lineTo(x1, y1).stroke();

/** One line for each block, to compare at a glance. */
function outline({ blocks }: ExtractedDocument): string[] {
  return blocks.flatMap((block) =>
    block.kind === 'table' ? rowsOf(block) : [`${block.kind}: ${block.text}`],
  );
}

function rowsOf({ rows }: TableBlock): string[] {
  return rows.map(({ group, label, cells }) =>
    [`${group ?? ''}/${label}`, ...cells.map(({ header, text }) => `${header}: ${text}`)].join(' | '),
  );
}

const tablesOf = (blocks: Block[]) => blocks.filter((block): block is TableBlock => block.kind === 'table');

describe('parsePdf on prose without tags', () => {
  it('tells headings by their print and joins the lines of a paragraph', async () => {
    const document = await read((pdf) => {
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
    const document = await read((pdf) => {
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
    const document = await read((pdf) => {
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
    const document = await read((pdf) => {
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
    const document = await read((pdf) => {
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
    const document = await read((pdf) => {
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
    const document = await read((pdf) => write(pdf, 'Deductible', 150, 400));
    const { box } = document.blocks[0]!;
    expect(box!.x).toBeCloseTo(0.25, 2);
    expect(box!.y).toBeCloseTo(0.5, 1);
    expect(box!.width).toBeGreaterThan(0.05);
    expect(box!.height).toBeLessThan(0.03);
  });

  it('reads pages that lie on their side', async () => {
    const document = await read((pdf) => {
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
    const document = await read((pdf) => {
      pdf.initForm();
      write(pdf, 'Member name:', 50, 100);
      pdf.formText('member', 130, 96, 150, 16, { value: 'Alice Example' });
    });
    expect(outline(document)).toEqual(['paragraph: Member name: Alice Example']);
  });
});

describe('parsePdf on tables without tags', () => {
  /** Columns at 50, 200, 300 and 400; each row is 20 high; a `null` has no border above and belongs to the cell above. */
  function grid(pdf: Pdf, rows: (string | null)[][], { top }: { top: number }): void {
    const xs = [50, 200, 300, 400, 550];
    rows.forEach((row, r) => {
      const y = top + r * 20;
      row.forEach((text, c) => {
        if (text === null) return;
        line(pdf, xs[c]!, y, xs[c + 1]!, y);
        if (r === 0) bold(pdf, text, xs[c]! + 4, y + 6);
        else write(pdf, text, xs[c]! + 4, y + 6);
      });
    });
    const bottom = top + rows.length * 20;
    line(pdf, 50, bottom, 550, bottom);
    for (const x of xs) line(pdf, x, top, x, bottom);
  }

  it('reads borders: a cell without a border below it is shared by the rows that it spans', async () => {
    const document = await read((pdf) =>
      grid(
        pdf,
        [
          ['Event', 'Service', 'Network', 'Limits'],
          ['If you have a test', 'X-ray', '$10 copay', 'None'],
          [null, 'Scan', '$50 copay', null],
          ['If you are pregnant', 'Visits', '20%', '60 days'],
        ],
        { top: 100 },
      ),
    );
    expect(outline(document)).toEqual([
      'If you have a test/X-ray | Network: $10 copay | Limits: None',
      'If you have a test/Scan | Network: $50 copay | Limits: None',
      'If you are pregnant/Visits | Network: 20% | Limits: 60 days',
    ]);
  });

  it('reads a title over several columns, on coloured ground and without vertical borders', async () => {
    const document = await read((pdf) => {
      write(pdf, 'What you pay depends on where you go for care.', 50, 60);
      pdf.rect(50, 100, 500, 40).fill('#c0e0e0').fillColor('black');
      bold(pdf, 'You pay', 250, 106);
      line(pdf, 250, 120, 440, 120);
      for (const [x, text] of [
        [54, 'Service'],
        [250, 'In-network'],
        [350, 'Out-of-network'],
        [450, 'Limits'],
      ] as const)
        bold(pdf, text, x, 126);
      for (const [i, [service, inside, outside, limits]] of [
        ['Preventive care', 'No charge', '40%', 'Once a year'],
        ['Specialist visit', '$50 copay', '40%', 'None'],
        ['Urgent care', '$60 copay', '$60 copay', 'None'],
      ].entries()) {
        const y = 146 + i * 20;
        bold(pdf, service!, 54, y);
        write(pdf, inside!, 250, y);
        write(pdf, outside!, 350, y);
        write(pdf, limits!, 450, y);
        line(pdf, 50, y + 14, 550, y + 14);
      }
    });
    expect(outline(document)).toEqual([
      'paragraph: What you pay depends on where you go for care.',
      '/Preventive care | You pay > In-network: No charge | You pay > Out-of-network: 40% | Limits: Once a year',
      '/Specialist visit | You pay > In-network: $50 copay | You pay > Out-of-network: 40% | Limits: None',
      '/Urgent care | You pay > In-network: $60 copay | You pay > Out-of-network: $60 copay | Limits: None',
    ]);
  });

  it('reads columns by alignment alone, with cells of several lines', async () => {
    const document = await read((pdf) => {
      const rows = [
        ['Plan', 'Deductible', 'Limit'],
        ['Bronze', '$3,000', '$9,000'],
        ['Silver, with a name that', '$1,500', '$5,000'],
        ['Gold', '$500', '$2,500'],
      ];
      let y = 100;
      for (const [i, [plan, deductible, limit]] of rows.entries()) {
        write(pdf, plan!, 50, y);
        write(pdf, deductible!, 250, y);
        write(pdf, limit!, 400, y);
        if (i === 2) write(pdf, 'is long', 50, (y += 12));
        y += 20;
      }
    });
    expect(outline(document)).toEqual([
      '/Bronze | Deductible: $3,000 | Limit: $9,000',
      '/Silver, with a name that is long | Deductible: $1,500 | Limit: $5,000',
      '/Gold | Deductible: $500 | Limit: $2,500',
    ]);
  });

  it('goes on with a table overleaf, under the same headers and without repeating them', async () => {
    const head = ['Event', 'Service', 'Network', 'Limits'];
    const document = await read((pdf) => {
      grid(pdf, [head, ['A', 'Office visit', '$10', 'None'], ['B', 'Surgery', '$20', 'None']], { top: 700 });
      pdf.addPage();
      pdf.font('Helvetica').fontSize(10);
      grid(pdf, [head, ['C', 'Hospital stay', '$30', '5 days']], { top: 100 });
    });
    expect(tablesOf(document.blocks)).toHaveLength(1);
    expect(outline(document).at(-1)).toBe('/C | Service: Hospital stay | Network: $30 | Limits: 5 days');
    expect(tablesOf(document.blocks)[0]!.rows.map((row) => row.page)).toEqual([1, 1, 2]);
  });

  it('does not take text in a frame for a table', async () => {
    const document = await read((pdf) => {
      pdf.rect(50, 90, 500, 60).stroke();
      write(pdf, 'This is only a summary. For the details of your coverage see the plan document', 60, 100);
      write(pdf, 'or call the number on your identification card, at any time of the day and on', 60, 112);
      write(pdf, 'every day of the week.', 60, 124);
    });
    expect(document.blocks.map((block) => block.kind)).toEqual(['paragraph']);
  });
});

describe('parsePdf on tagged documents', () => {
  const tagged = { tagged: true, pdfVersion: '1.7', lang: 'en-US' };

  function add(pdf: Pdf, parent: { add(child: never): unknown }, type: string, paint?: () => void) {
    const element = paint ? pdf.struct(type, {}, paint) : pdf.struct(type);
    parent.add(element as never);
    return element;
  }

  it('follows the tags where geometry would mislead, and leaves out artifacts and contents', async () => {
    const document = await read((pdf) => {
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
    const document = await read((pdf) => {
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
    const document = await read((pdf) => {
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
    const document = await read((pdf) => {
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
