import { getDocumentProxy, getResolvedPDFJS } from 'unpdf';
import type { PDFDocumentProxy } from 'unpdf/pdfjs';
import type { ExtractedDocument, ExtractionWarning } from './extracted-document.js';
import { ParseFailure } from './parse-failure.js';
import { assemble, type PageBlocks, readBlocks } from './pdf/assemble.js';
import { SystemCMaps } from './pdf/cjk-cmaps.js';
import { finishBlocks } from './pdf/finish.js';
import { readPage } from './pdf/page-content.js';
import type { Operators } from './pdf/rulings.js';

/**
 * Reads a PDF: by its structure tree where the author tagged it, by geometry elsewhere.
 * @throws ParseFailure password-protected, corrupt-file, no-text, too-complex
 */
export async function parsePdf(
  bytes: Uint8Array,
  { maxPages }: { maxPages: number },
): Promise<ExtractedDocument> {
  // pdf.js takes the buffer over, and refuses Node's own Buffer.
  const pdf = await open(new Uint8Array(bytes));
  try {
    if (pdf.numPages > maxPages) throw new ParseFailure('too-complex');
    const warnings: ExtractionWarning[] = [];
    const pages: PageBlocks[] = [];
    const { OPS } = await getResolvedPDFJS();
    for (let number = 1; number <= pdf.numPages; number += 1) {
      const page = await readPageBlocks(pdf, number, OPS as unknown as Operators);
      if (page) pages.push(page);
      else warnings.push({ code: 'page-unreadable', page: number });
      if (page && page.blocks.length + page.artifacts.length === 0)
        warnings.push({ code: 'page-without-text', page: number });
    }
    const blocks = finishBlocks(assemble(pages));
    if (blocks.length === 0) throw new ParseFailure(pages.length > 0 ? 'no-text' : 'corrupt-file');
    return { format: 'pdf', title: await titleOf(pdf), pageCount: pdf.numPages, blocks, warnings };
  } finally {
    await pdf.loadingTask.destroy();
  }
}

async function open(bytes: Uint8Array): Promise<PDFDocumentProxy> {
  try {
    return await getDocumentProxy(bytes, {
      isEvalSupported: false,
      disableFontFace: true,
      useSystemFonts: false,
      useWorkerFetch: false,
      useWasm: false,
      cMapPacked: false,
      BinaryDataFactory: SystemCMaps,
      // Images are never looked at, so none is decoded.
      maxImageSize: 1,
      verbosity: 0,
    });
  } catch (error) {
    const encrypted = error instanceof Error && error.name === 'PasswordException';
    throw new ParseFailure(encrypted ? 'password-protected' : 'corrupt-file', { cause: error });
  }
}

/** One broken page costs that page only; undefined when it cannot be read. */
async function readPageBlocks(
  pdf: PDFDocumentProxy,
  number: number,
  ops: Operators,
): Promise<PageBlocks | undefined> {
  try {
    const page = await pdf.getPage(number);
    const blocks = readBlocks(await readPage(page, number, ops));
    page.cleanup();
    return blocks;
  } catch {
    return undefined;
  }
}

async function titleOf(pdf: PDFDocumentProxy): Promise<string | null> {
  try {
    const { info } = await pdf.getMetadata();
    const title = (info as { Title?: unknown }).Title;
    return typeof title === 'string' && title.trim() !== '' ? title.trim() : null;
  } catch {
    return null;
  }
}
