import { getDocumentProxy, getResolvedPDFJS } from 'unpdf';
import type { PDFDocumentProxy } from 'unpdf/pdfjs';
import type { Attachment, Block, ExtractedDocument, ExtractionWarning } from './extracted-document.js';
import { ParseFailure } from './parse-failure.js';
import { assemble, type PageBlock, type PageBlocks, readBlocks, type Stretch } from './pdf/assemble.js';
import { SystemCMaps } from './pdf/cjk-cmaps.js';
import { finishBlocks, vocabularyOf } from './pdf/finish.js';
import { worthOfText } from './pdf/needs-recognition.js';
import { readPage } from './pdf/page-content.js';
import type { Operators } from './pdf/rulings.js';
import { type Seam, type SeamEnd, withoutBody } from './pdf/seam.js';

export interface PdfLimits {
  maxPages: number;
  password?: string;
}

/** What stands on a stretch of pages. */
export interface PdfPages {
  blocks: Block[];
  warnings: ExtractionWarning[];
  /** Pages that are to be read as pictures. Those with garbled text have no blocks. */
  pagesToRecognise: number[];
  seam: Seam;
}

/**
 * A PDF that is open. It is read by its structure tree where the author tagged it, by geometry elsewhere; what a
 * stretch of pages gives does not depend on what was read before it.
 */
export class OpenPdf {
  private constructor(private readonly pdf: PDFDocumentProxy) {}

  /** @throws ParseFailure password-protected, wrong-password, corrupt-file, too-complex */
  static async open(bytes: Uint8Array, { maxPages, password }: PdfLimits): Promise<OpenPdf> {
    const pdf = await open(bytes, password);
    if (pdf.numPages <= maxPages) return new OpenPdf(pdf);
    await pdf.loadingTask.destroy();
    throw new ParseFailure('too-complex');
  }

  get pageCount(): number {
    return this.pdf.numPages;
  }

  /**
   * @param from the first page, from 1 on
   * @param to the last page
   * @param recognise whether somebody can read pages as pictures
   */
  async readPages({ from, to }: { from: number; to: number }, recognise: boolean): Promise<PdfPages> {
    const warnings: ExtractionWarning[] = [];
    const pagesToRecognise: number[] = [];
    const pages: PageBlocks[] = [];
    for (let number = from; number <= to; number += 1) {
      const read = await this.readPage(number);
      if (!read) {
        warnings.push({ code: 'page-unreadable', page: number });
        continue;
      }
      const { page, worth } = read;
      const asPicture = recognise && worth !== 'enough';
      if (asPicture) pagesToRecognise.push(number);
      else if (page.blocks.length + page.artifacts.length === 0)
        warnings.push({ code: 'page-without-text', page: number });
      if (!(asPicture && worth === 'garbled')) pages.push(page);
    }
    return { ...finish(assemble(pages), from), warnings, pagesToRecognise };
  }

  async title(): Promise<string | null> {
    try {
      const { info } = await this.pdf.getMetadata();
      const title = (info as { Title?: unknown }).Title;
      return typeof title === 'string' && title.trim() !== '' ? title.trim() : null;
    } catch {
      return null;
    }
  }

  /** The files that are embedded. */
  async attachments(): Promise<Attachment[]> {
    try {
      const found = (await this.pdf.getAttachments()) as Record<
        string,
        { filename?: string; content?: Uint8Array }
      > | null;
      return Object.entries(found ?? {}).flatMap(([name, { filename, content }]) =>
        content?.length ? [{ filename: filename || name, bytes: content }] : [],
      );
    } catch {
      return [];
    }
  }

  async close(): Promise<void> {
    await this.pdf.loadingTask.destroy();
  }

  /** One broken page costs that page only; undefined when it cannot be read. */
  private async readPage(number: number) {
    try {
      const { OPS } = await getResolvedPDFJS();
      const page = await this.pdf.getPage(number);
      const content = await readPage(page, number, OPS as unknown as Operators);
      page.cleanup();
      return { page: readBlocks(content), worth: worthOfText(content) };
    } catch {
      return undefined;
    }
  }
}

/**
 * Reads a PDF as a whole.
 * @throws ParseFailure password-protected, wrong-password, corrupt-file, no-text, too-complex
 */
export async function parsePdf(bytes: Uint8Array, limits: PdfLimits): Promise<ExtractedDocument> {
  const pdf = await OpenPdf.open(bytes, limits);
  try {
    const { pageCount } = pdf;
    const { blocks, warnings } = await pdf.readPages({ from: 1, to: pageCount }, false);
    const unreadable = warnings.filter(({ code }) => code === 'page-unreadable').length;
    if (blocks.length === 0) throw new ParseFailure(unreadable < pageCount ? 'no-text' : 'corrupt-file');
    return { format: 'pdf', title: await pdf.title(), pageCount, blocks, warnings };
  } finally {
    await pdf.close();
  }
}

async function open(bytes: Uint8Array, password: string | undefined): Promise<PDFDocumentProxy> {
  try {
    // pdf.js takes the buffer over, and refuses Node's own Buffer.
    return await getDocumentProxy(Buffer.isBuffer(bytes) ? new Uint8Array(bytes) : bytes, {
      password,
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
    const locked = password === undefined ? 'password-protected' : 'wrong-password';
    throw new ParseFailure(encrypted ? locked : 'corrupt-file', { cause: error });
  }
}

function finish({ body, notes, first, last }: Stretch, firstPage: number): { blocks: Block[]; seam: Seam } {
  const words = vocabularyOf([...body, ...notes]);
  const [texts, notesBelow] = [body, notes].map((drafts) => finishBlocks(drafts, words)) as [
    Block[],
    Block[],
  ];
  // A block that turned out to have no text takes nothing up, and nothing goes on in it.
  const isWhole = texts.length === body.length;
  const end = isWhole ? seamEnd(last, 'end') : null;
  return {
    blocks: [...texts, ...notesBelow],
    seam: {
      firstPage,
      start: isWhole ? seamEnd(first, 'start') : null,
      end: end && { ...withoutBody(end), notes: notesBelow.length },
      breaksWords: words.breaksWords,
    },
  };
}

function seamEnd(block: PageBlock | undefined, at: 'start' | 'end'): SeamEnd | null {
  if (!block) return null;
  if (block.kind === 'table-sketch') return { table: block };
  if (block.kind === 'heading') return null;
  return { size: block.lines.at(at === 'start' ? 0 : -1)!.size };
}
