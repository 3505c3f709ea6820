import type { Attachment, Block, DocumentFormat, ExtractionWarning, Picture } from './extracted-document.js';
import { FORMAT_OF_MEDIA_TYPE } from './media-types.js';
import { ParseFailure } from './parse-failure.js';
import { parseFile } from './parse-file.js';
import { OpenPdf } from './pdf.parser.js';
import type { Seam } from './pdf/seam.js';

/** A stretch of pages from 1 on, both ends included; of a file without pages there is only 1 to 1. */
export interface ReadRange {
  from: number;
  to: number;
}

/** What a file is, and the stretches in which it is to be read. */
export interface FilePlan {
  format: DocumentFormat;
  title: string | null;
  pageCount: number | null;
  unit: 'whole' | 'pages';
  parts: ReadRange[];
  /** Whether it opened with the password that was given, and not without. */
  needsPassword?: boolean;
}

export interface ReadPart {
  blocks: Block[];
  warnings: ExtractionWarning[];
  attachments?: Attachment[];
  pictures?: Picture[];
  pagesToRecognise?: number[];
  seam?: Seam;
}

/** A file that is open: whatever stretch of it is read first, and how often, gives the same. */
export interface OpenFile {
  readonly plan: FilePlan;
  /** @param recognise whether somebody reads pages as pictures. @throws ParseFailure */
  read(range: ReadRange, recognise: boolean): Promise<ReadPart>;
  close(): Promise<void>;
}

export interface OpenLimits {
  maxPages: number;
  /** Given with the upload, to open a protected file. */
  password?: string;
}

/** Opens a file in this process: only the parser process should. @throws ParseFailure */
export async function openFile(bytes: Uint8Array, mediaType: string, limits: OpenLimits): Promise<OpenFile> {
  return FORMAT_OF_MEDIA_TYPE[mediaType] === 'pdf'
    ? openPages(await OpenPdf.open(bytes, limits))
    : openWhole(bytes, mediaType, limits);
}

async function openPages(pdf: OpenPdf): Promise<OpenFile> {
  const { pageCount } = pdf;
  const parts = evenParts(pageCount);
  return {
    plan: { format: 'pdf', title: await pdf.title(), pageCount, unit: 'pages', parts },
    close: () => pdf.close(),
    async read(range, recognise) {
      const part = await pdf.readPages(range, recognise);
      const unreadable = part.warnings.filter(({ code }) => code === 'page-unreadable').length;
      if (unreadable === pageCount) throw new ParseFailure('corrupt-file');
      return range.from === 1 ? { ...part, attachments: await pdf.attachments() } : part;
    },
  };
}

/** All other formats are read at once. */
async function openWhole(bytes: Uint8Array, mediaType: string, limits: OpenLimits): Promise<OpenFile> {
  const { format, title, pageCount, ...part } = await parseFile(bytes, mediaType, limits);
  return {
    plan: { format, title, pageCount, unit: 'whole', parts: [{ from: 1, to: 1 }] },
    close: async () => undefined,
    read: async () => part,
  };
}

/** Of about the same length: a running head is known by its pages, and a last part of one page would show none. */
export function evenParts(pages: number, longest = PAGES_PER_PART): ReadRange[] {
  const count = Math.max(1, Math.ceil(pages / longest));
  const border = (part: number) => Math.round((pages * part) / count);
  return Array.from({ length: count }, (_, part) => ({ from: border(part) + 1, to: border(part + 1) }));
}

/**
 * Most documents are one part. A part takes about a second, which is what a crash may cost and a cancellation, and
 * long enough that sending and storing it cost little.
 */
const PAGES_PER_PART = 32;
