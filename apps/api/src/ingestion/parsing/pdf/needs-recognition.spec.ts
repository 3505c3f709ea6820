import { jest } from '@jest/globals';
import { once } from 'node:events';
import { deflateSync } from 'node:zlib';
import PDFDocument from 'pdfkit';
import { OpenPdf } from '../pdf.parser.js';

// Loading pdf.js takes long on a busy machine.
jest.setTimeout(60_000);

type Pdf = InstanceType<typeof PDFDocument>;

/** A gray picture of 4 by 4 pixels. */
const PICTURE = png(4, 4);

const PAGES: Record<string, (pdf: Pdf) => void> = {
  blank: () => undefined,
  text: (pdf) => text(pdf, 30),
  scan: (pdf) => pdf.image(PICTURE, 0, 0, { width: 600, height: 800 }),
  'stamp on a scan': (pdf) => text(pdf.image(PICTURE, 0, 0, { width: 600, height: 800 }), 4),
  'text on a background': (pdf) => text(pdf.image(PICTURE, 0, 0, { width: 600, height: 800 }), 60),
  'title with a logo': (pdf) => text(pdf.image(PICTURE, 50, 20, { width: 80, height: 40 }), 4),
  'drawn letters': (pdf) => {
    for (let i = 0; i < 200; i += 1) pdf.circle(50 + (i % 20) * 20, 100 + Math.floor(i / 20) * 20, 5).fill();
  },
  'frame without text': (pdf) => pdf.rect(50, 50, 500, 700).stroke(),
};

function text(pdf: Pdf, words: number): void {
  const spoken = Array.from({ length: words }, (_, i) => `word${i}`);
  for (let at = 0; at < words; at += 8)
    pdf.text(spoken.slice(at, at + 8).join(' '), 50, 100 + 2 * at, { lineBreak: false });
}

async function read(recognise: boolean) {
  const pdf = new PDFDocument({ size: [600, 800], margin: 0, autoFirstPage: false });
  const chunks: Buffer[] = [];
  pdf.on('data', (chunk: Buffer) => chunks.push(chunk));
  const ended = once(pdf, 'end');
  for (const paint of Object.values(PAGES)) {
    pdf.addPage().font('Helvetica').fontSize(10);
    paint(pdf);
  }
  pdf.end();
  await ended;
  const open = await OpenPdf.open(new Uint8Array(Buffer.concat(chunks)), { maxPages: 100 });
  const read = await open.readPages({ from: 1, to: open.pageCount }, recognise);
  await open.close();
  const names = (pages: number[]) => pages.map((page) => Object.keys(PAGES)[page - 1]);
  return {
    toRecognise: names(read.pagesToRecognise),
    withoutText: names(
      read.warnings.flatMap(({ code, page }) => (code === 'page-without-text' ? page! : [])),
    ),
  };
}

describe('whether a page is to be read as a picture', () => {
  it('is decided for each page, by its text and by what is drawn on it', async () => {
    expect(await read(true)).toEqual({
      toRecognise: ['scan', 'stamp on a scan', 'drawn letters'],
      withoutText: ['blank', 'frame without text'],
    });
  });

  it('is no question when nobody can; then the page has no text', async () => {
    expect(await read(false)).toEqual({
      toRecognise: [],
      withoutText: ['blank', 'scan', 'drawn letters', 'frame without text'],
    });
  });
});

/** PNG, in black. */
function png(width: number, height: number): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.writeUInt8(8, 8);
  const rows = Buffer.alloc(height * (width + 1));
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    ...[
      ['IHDR', header] as const,
      ['IDAT', deflateSync(rows)] as const,
      ['IEND', Buffer.alloc(0)] as const,
    ].map(([name, data]) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(data.length);
      // pdfkit and pdf.js look at no checksum.
      return Buffer.concat([length, Buffer.from(name), data, Buffer.alloc(4)]);
    }),
  ]);
}
