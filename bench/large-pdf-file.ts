import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import { finished } from 'node:stream/promises';
import PDFDocument from 'pdfkit';
import { planText } from './plan-text.js';

/**
 * Writes a PDF of so many pages to a file, page by page, so that it may be larger than memory: each page has a running
 * head, a page number, headings and about `sections` × 70 words.
 */
export async function writeLargePdf(path: string, pages: number, sections = 5): Promise<void> {
  const file = createWriteStream(path);
  const pdf = new PDFDocument({
    size: 'LETTER',
    margin: 60,
    info: { CreationDate: new Date(0), Title: 'Large plan' },
  });
  pdf.pipe(file);
  for (let page = 1; page <= pages; page++) {
    if (page > 1) pdf.addPage();
    drawPage(pdf, page, sections);
    if (file.writableNeedDrain) await once(file, 'drain');
  }
  pdf.end();
  await finished(file);
}

function drawPage(pdf: InstanceType<typeof PDFDocument>, page: number, sections: number): void {
  pdf.fontSize(8).text('Summit Mutual Group Health Plan', 60, 30, { lineBreak: false });
  pdf.text(`Page ${page}`, 500, 740, { lineBreak: false });
  pdf.x = 60;
  pdf.y = 70;
  if (page % 50 === 1)
    pdf
      .fontSize(20)
      .text(`Part ${Math.ceil(page / 50)}`)
      .moveDown(0.5);
  for (const part of planText(page, sections).trim().split('\n\n').slice(1))
    if (part.startsWith('#')) pdf.fontSize(14).text(part.replace(/^#+ /, '')).moveDown(0.3);
    else pdf.fontSize(10).text(`${part}`).moveDown(0.5);
}
