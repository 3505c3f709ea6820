import type {
  Attachment,
  Block,
  DocumentFormat,
  ExtractionWarning,
  Picture,
} from '../parsing/extracted-document.js';
import type { Seam } from '../parsing/pdf/seam.js';
import type { WholeFile } from '../parsing/sandbox/sandboxed-parser.js';
import type { Hearing } from './hearing.js';

export type { Attachment, Picture };

/** A file that is to be read. What it says of itself is not to be trusted. */
export interface SourceFile {
  path: string;
  /** All of it, for who has it in memory. */
  content?: Buffer;
  /** As the person named it. */
  filename: string;
  mediaType: string;
  sizeBytes: number;
  /** Given with the upload, to open a protected file. */
  password?: string;
}

/** A stretch of a file, in the unit of its plan: pages from 1 on, or milliseconds; both ends belong to it. */
export interface PartRange {
  from: number;
  to: number;
}

/** What a file turned out to be, and how its reading is cut into parts that are read, and become durable, one by one. */
export interface ExtractionPlan {
  mediaType: string;
  format: DocumentFormat;
  title: string | null;
  /** null for formats without pages. */
  pageCount: number | null;
  /** Of recordings. */
  durationMs: number | null;
  unit: 'whole' | 'pages' | 'milliseconds';
  /** In reading order; one, from 1 to 1, when the unit is the whole. */
  parts: PartRange[];
  /** Whether it opened with the password that was given, and not without. */
  needsPassword?: boolean;
}

/** What stands in one part of a file. */
export interface ExtractedPart {
  /** In reading order. */
  blocks: Block[];
  warnings: ExtractionWarning[];
  /** What was read or heard by a machine; absent when all text was text. `confidence` is the mean over words, 0 to 1. */
  recognised?: { words: number; confidence: number };
  /** Of recordings. */
  hearing?: Hearing;
  attachments?: Attachment[];
  /** How it goes on in the parts before and after, when sentences and tables do. */
  seam?: Seam;
  /** Pictures among the blocks that may show text; gone once they were recognised. */
  pictures?: Picture[];
}

/** Reads files of some formats. What it does twice gives the same result twice. */
export abstract class Extractor {
  /** @throws ParseFailure when the file cannot be read */
  abstract plan(file: SourceFile, signal: AbortSignal): Promise<ExtractionPlan>;
  /** The same, and the rest at once for who can do that. */
  async open(file: SourceFile, signal: AbortSignal): Promise<{ plan: ExtractionPlan; whole?: WholeFile }> {
    return { plan: await this.plan(file, signal) };
  }
  /**
   * @param alive to be called whenever a long reading gets on
   * @throws ParseFailure when the part cannot be read
   */
  abstract read(
    file: SourceFile,
    plan: ExtractionPlan,
    part: PartRange,
    signal: AbortSignal,
    alive?: () => void,
  ): Promise<ExtractedPart>;
}

/** A page whose text was recognised in its picture. */
export interface RecognisedPage {
  page: number;
  /** With page; with box, lines and confidence, too, when who recognised them tells places. */
  blocks: Block[];
  words: number;
  /** Mean over the words, 0 to 1; undefined when nobody tells, or when there are none. */
  confidence: number | undefined;
}

/** What was recognised in a picture inside a document. */
export interface RecognisedPicture extends Pick<Picture, 'after'>, Omit<RecognisedPage, 'page'> {}

/** Reads the pages of a PDF that are pictures of text, and pictures inside other documents. */
export abstract class PageRecognizer {
  /** One result for every page that is asked for, in that order: an empty one for a page that cannot be read. */
  abstract recognise(
    file: SourceFile,
    pages: readonly number[],
    signal: AbortSignal,
  ): Promise<RecognisedPage[]>;
  /** The same for pictures. */
  abstract recognisePictures(pictures: readonly Picture[], signal: AbortSignal): Promise<RecognisedPicture[]>;
}
