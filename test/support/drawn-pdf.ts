import { once } from 'node:events';
import PDFDocument from 'pdfkit';
import type {
  Block,
  ExtractedDocument,
  TableBlock,
} from '../../apps/api/src/ingestion/parsing/extracted-document.js';
import { parsePdf } from '../../apps/api/src/ingestion/parsing/pdf.parser.js';

export type Pdf = InstanceType<typeof PDFDocument>;

/** On a page of 600 by 800 points, in 10 point Helvetica. */
export async function draw(
  paint: (pdf: Pdf) => void,
  options: Record<string, unknown> = {},
): Promise<Buffer> {
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

export async function readDrawn(
  paint: (pdf: Pdf) => void,
  options?: Record<string, unknown>,
): Promise<ExtractedDocument> {
  return parsePdf(await draw(paint, options), { maxPages: 100 });
}

export const write = (pdf: Pdf, text: string, x: number, y: number) =>
  pdf.text(text, x, y, { lineBreak: false });
export const bold = (pdf: Pdf, text: string, x: number, y: number) => {
  write(pdf.font('Helvetica-Bold'), text, x, y);
  pdf.font('Helvetica');
};
export const line = (pdf: Pdf, x0: number, y0: number, x1: number, y1: number) =>
  pdf.moveTo(x0, y0).lineTo(x1, y1).stroke();

/** One line for each block, to compare at a glance. */
export function outline({ blocks }: ExtractedDocument): string[] {
  return blocks.flatMap((block) =>
    block.kind === 'table' ? rowsOf(block) : [`${block.kind}: ${block.text}`],
  );
}

export function rowsOf({ rows }: TableBlock): string[] {
  return rows.map(({ group, label, cells }) =>
    [`${group ?? ''}/${label}`, ...cells.map(({ header, text }) => `${header}: ${text}`)].join(' | '),
  );
}

export const tablesOf = (blocks: Block[]) =>
  blocks.filter((block): block is TableBlock => block.kind === 'table');
