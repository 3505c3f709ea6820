import { once } from 'node:events';
import PDFDocument from 'pdfkit';
import { planText } from './plan-text.js';

/** `planText` as a PDF, with headings and about `sections` × 70 words on every page; the same bytes for the same seed. */
export async function planPdf(seed: number, pages: number, sections = 5): Promise<Uint8Array<ArrayBuffer>> {
  const pdf = new PDFDocument({ size: 'LETTER', info: { CreationDate: new Date(0) } });
  const chunks: Buffer[] = [];
  pdf.on('data', (chunk: Buffer) => chunks.push(chunk));
  for (let page = 1; page <= pages; page++) {
    if (page > 1) pdf.addPage();
    for (const part of planText(seed * 1_000 + page, sections)
      .trim()
      .split('\n\n'))
      if (part.startsWith('#')) pdf.fontSize(14).text(part.replace(/^#+ /, '')).moveDown(0.5);
      else pdf.fontSize(10).text(part).moveDown();
  }
  pdf.end();
  await once(pdf, 'end');
  return new Uint8Array(Buffer.concat(chunks));
}
