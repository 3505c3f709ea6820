import { jest } from '@jest/globals';
import {
  bold,
  line,
  outline,
  type Pdf,
  readDrawn,
  tablesOf,
  write,
} from '../../../../../test/support/drawn-pdf.js';

// Starting processes and loading pdf.js takes long on a busy machine.
jest.setTimeout(60_000);

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
    const document = await readDrawn((pdf) =>
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
    const document = await readDrawn((pdf) => {
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
    const document = await readDrawn((pdf) => {
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
    const document = await readDrawn((pdf) => {
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
    const document = await readDrawn((pdf) => {
      pdf.rect(50, 90, 500, 60).stroke();
      write(pdf, 'This is only a summary. For the details of your coverage see the plan document', 60, 100);
      write(pdf, 'or call the number on your identification card, at any time of the day and on', 60, 112);
      write(pdf, 'every day of the week.', 60, 124);
    });
    expect(document.blocks.map((block) => block.kind)).toEqual(['paragraph']);
  });
});
