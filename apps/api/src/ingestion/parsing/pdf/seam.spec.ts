import { jest } from '@jest/globals';
import { once } from 'node:events';
import PDFDocument from 'pdfkit';
import { type StructureState, structurePart } from '../../passages/structure-part.js';
import { evenParts } from '../open-file.js';
import { OpenPdf } from '../pdf.parser.js';

// Loading pdf.js takes long on a busy machine.
jest.setTimeout(60_000);

type Pdf = InstanceType<typeof PDFDocument>;

/** Pages of 600 by 800 points, each painted by one call. */
async function draw(pages: ((pdf: Pdf) => void)[]): Promise<Uint8Array> {
  const pdf = new PDFDocument({ size: [600, 800], margin: 0, autoFirstPage: false });
  const chunks: Buffer[] = [];
  pdf.on('data', (chunk: Buffer) => chunks.push(chunk));
  const ended = once(pdf, 'end');
  for (const paint of pages) {
    pdf.addPage().font('Helvetica').fontSize(10);
    paint(pdf);
  }
  pdf.end();
  await ended;
  return new Uint8Array(Buffer.concat(chunks));
}

const write = (pdf: Pdf, text: string, x: number, y: number) => pdf.text(text, x, y, { lineBreak: false });

function box(pdf: Pdf, columns: number[], tops: number[]): void {
  for (const x of columns) pdf.moveTo(x, tops[0]!).lineTo(x, tops.at(-1)!).stroke();
  for (const y of tops) pdf.moveTo(columns[0]!, y).lineTo(columns.at(-1)!, y).stroke();
}

interface Made {
  text: string;
  heading_path: string[];
  page: number;
}

/** The passages of a PDF that is read in parts of so many pages. */
async function passagesOf(bytes: Uint8Array, longest: number): Promise<Made[]> {
  const pdf = await OpenPdf.open(bytes.slice(), { maxPages: 100 });
  const ranges = evenParts(pdf.pageCount, longest);
  const parts = [];
  // The last one first: no part is to depend on another.
  for (const range of ranges.toReversed()) parts.unshift(await pdf.readPages(range, false));
  await pdf.close();
  const styles = parts.flatMap(({ blocks }) =>
    blocks.flatMap((b) => (b.kind === 'heading' ? (b.style ?? []) : [])),
  );
  const headingStyles = [...new Set(styles)].sort((a, b) => b - a);
  let state: StructureState | null = null;
  return parts.flatMap((part, i) => {
    const step = structurePart(state, part, {
      isLast: i === parts.length - 1,
      headingStyles,
      parts: parts.length,
    });
    state = JSON.parse(JSON.stringify(step.state)) as StructureState;
    return step.batches.flatMap(({ passages }) => JSON.parse(passages) as Made[]);
  });
}

const outline = (made: Made[]) => made.map(({ text, heading_path, page }) => [page, ...heading_path, text]);

async function expectTheSame(pages: ((pdf: Pdf) => void)[]): Promise<Made[]> {
  const bytes = await draw(pages);
  const whole = await passagesOf(bytes, pages.length);
  for (let longest = 1; longest < pages.length; longest += 1)
    expect({ longest, made: outline(await passagesOf(bytes, longest)) }).toEqual({
      longest,
      made: outline(whole),
    });
  return whole;
}

describe('a PDF that is read in parts of any size', () => {
  it('keeps sentences that go on overleaf whole', async () => {
    const made = await expectTheSame(
      Array.from({ length: 6 }, (_, page) => (pdf) => {
        write(
          pdf,
          `and page ${page} ends in the middle of a sentence that says what the plan pays for the`,
          50,
          150,
        );
        write(
          pdf,
          `care of your family, which goes on overleaf where the next page number ${page + 1} begins`,
          50,
          164,
        );
      }),
    );
    expect(made.map(({ text }) => text).join(' ')).toContain('page number 1 begins and page 1 ends');
  });

  it('keeps the head of a table over all of its pages', async () => {
    const rowsOnPage = 6;
    const made = await expectTheSame(
      Array.from({ length: 5 }, (_, page) => (pdf) => {
        const tops = Array.from({ length: rowsOnPage + 1 }, (__, i) => 120 + 30 * i);
        box(pdf, [50, 200, 350, 500], tops);
        for (let row = 0; row < rowsOnPage; row += 1) {
          const y = tops[row]! + 10;
          const isHead = page === 0 && row === 0;
          pdf.font(isHead ? 'Helvetica-Bold' : 'Helvetica');
          write(pdf, isHead ? 'Service' : `Service ${page}-${row}`, 60, y);
          write(pdf, isHead ? 'Network' : `$${page}${row}`, 210, y);
          write(pdf, isHead ? 'Outside' : `$${page}${row}0`, 360, y);
        }
      }),
    );
    expect(made).toHaveLength(5 * rowsOnPage - 1);
    expect(made.at(-1)).toMatchObject({ text: 'Service 4-5 | Network: $45 | Outside: $450', page: 5 });
  });

  it('keeps sections under the chapter that began many pages before', async () => {
    const made = await expectTheSame(
      Array.from({ length: 6 }, (_, page) => (pdf) => {
        if (page === 0) write(pdf.fontSize(24), 'The chapter', 50, 110);
        write(pdf.fontSize(15), `Section ${'abcdef'[page]}`, 50, 160);
        for (let line = 0; line < 8; line += 1)
          write(
            pdf.fontSize(10),
            `On page ${page} line ${line} says what is paid for in this section.`,
            50,
            200 + 14 * line,
          );
      }),
    );
    expect(made.at(-1)!.heading_path).toEqual(['The chapter', 'Section f']);
  });
});

describe('the parts of a file', () => {
  it.each([
    [1, 1],
    [32, 1],
    [33, 2],
    [10_000, 313],
  ])('of %i pages are %i, of about the same length, and cover it', (pages, count) => {
    const parts = evenParts(pages);
    expect(parts).toHaveLength(count);
    expect(
      parts.flatMap(({ from, to }) => Array.from({ length: to - from + 1 }, (_, i) => from + i)),
    ).toEqual(Array.from({ length: pages }, (_, i) => i + 1));
    const lengths = parts.map(({ from, to }) => to - from);
    expect(Math.max(...lengths) - Math.min(...lengths)).toBeLessThanOrEqual(1);
  });
});
