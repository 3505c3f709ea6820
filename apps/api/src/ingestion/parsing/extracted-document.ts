import type { Box } from '../../rag/index.js';

export type DocumentFormat =
  | 'pdf'
  | 'docx'
  | 'pptx'
  | 'xlsx'
  | 'xls'
  | 'csv'
  | 'html'
  | 'markdown'
  | 'text'
  | 'rtf'
  | 'odt'
  | 'epub'
  | 'email'
  | 'mbox'
  | 'outlook'
  | 'subtitles'
  | 'image'
  | 'audio'
  | 'video';

/** What a parser makes of a file: blocks in reading order. It crosses a process border as JSON, files inside apart. */
export interface ExtractedDocument {
  format: DocumentFormat;
  /** The document's own title when it states one. */
  title: string | null;
  /** null for formats without pages. */
  pageCount: number | null;
  blocks: Block[];
  /** Things a person should know about the extraction. */
  warnings: ExtractionWarning[];
  /** Files inside the file. */
  attachments?: Attachment[];
  /** Pictures that may show text. A document that has some need not have blocks. */
  pictures?: Picture[];
}

export interface ExtractionWarning {
  code:
    | 'page-without-text'
    | 'page-unreadable'
    | 'output-truncated'
    /** Rows or columns past what is kept of a sheet. */
    | 'rows-left-out'
    /** A file inside the file was too large, one too many, nested too deeply, protected or of no type that is read. */
    | 'attachment-skipped'
    | 'picture-skipped';
  page?: number;
}

/** A file inside a file: what is attached to a mail or embedded in a PDF. It becomes a document of its own. */
export interface Attachment {
  filename: string;
  bytes: Uint8Array;
}

/** A picture inside a document: PNG, JPEG, TIFF or WEBP. */
export interface Picture {
  bytes: Uint8Array;
  /** The index of the block behind which it stands; -1 when it comes first. */
  after: number;
  /** null for formats without pages. */
  page: number | null;
}

export type Block = TextBlock | TableBlock;

export interface TextBlock {
  kind: 'heading' | 'paragraph' | 'list-item';
  /** 1 is the outermost heading; only for headings. */
  level?: number;
  /** How much the print of a heading stands out, when the level follows from that: the more, the higher. */
  style?: number;
  text: string;
  page: number | null;
  /** Around the text on its first page. */
  box: Box | null;
  /** Where the lines of the text stand, when the format has pages: for the place of a part of the text. */
  lines?: TextLine[];
  /** When the parts of the text are said, in recordings and subtitles. */
  cues?: TextCue[];
  /** How sure a machine was that read or heard the text, 0 to 1: the mean over its words. Absent for text that was text. */
  confidence?: number;
}

export interface TextCue {
  /** Offset in the text, in UTF-16 code units, at which the cue begins. */
  start: number;
  startMs: number;
  endMs: number;
}

export interface TextLine {
  /** Offset in the text, in UTF-16 code units, at which the line begins. */
  start: number;
  page: number;
  box: Box;
}

export interface TableBlock {
  kind: 'table';
  caption: string | null;
  rows: TableRow[];
  page: number | null;
  box: Box | null;
}

export interface TableRow {
  /** The label that several rows share (a spanned first cell); null when there is none. */
  group: string | null;
  /** The row's header cell; empty when the table has none. */
  label: string;
  cells: TableCell[];
  page: number | null;
  box: Box | null;
}

export interface TableCell {
  /** Path of the column headers that stand over the cell, outermost first, joined by " > ". */
  header: string;
  text: string;
  box: Box | null;
}

/** All that is text in a block, such as the cells of a table. */
export function textsOf(block: Block): string[] {
  if (block.kind !== 'table') return [block.text];
  return block.rows.flatMap((row) => [row.label, ...row.cells.map((cell) => cell.text)]);
}
