import { readFile } from 'node:fs/promises';
import type { DocumentFormat, ExtractedDocument } from './extracted-document.js';
import { FORMAT_OF_MEDIA_TYPE } from './media-types.js';
import { ParseFailure } from './parse-failure.js';

export interface ParseOptions {
  /** Documents with more pages are refused. */
  maxPages: number;
  /** Opens a protected file. */
  password?: string;
}

type Parser = (bytes: Uint8Array, options: ParseOptions) => ExtractedDocument | Promise<ExtractedDocument>;

/** Loaded when the first file of a format comes, so that a process costs only what it reads. */
const PARSERS: Partial<Record<DocumentFormat, () => Promise<Parser>>> = {
  pdf: async () => (await import('./pdf.parser.js')).parsePdf,
  docx: async () => (await import('./docx.parser.js')).parseDocx,
  pptx: async () => (await import('./office/pptx.parser.js')).parsePptx,
  xlsx: sheets('xlsx'),
  xls: sheets('xls'),
  csv: async () => (await import('./csv.parser.js')).parseCsv,
  html: async () => (await import('./html.parser.js')).parseHtml,
  markdown: async () => (await import('./markdown.parser.js')).parseMarkdown,
  text: async () => (await import('./text.parser.js')).parseText,
  rtf: async () => (await import('./rtf/rtf.parser.js')).parseRtf,
  odt: async () => (await import('./office/odt.parser.js')).parseOdt,
  epub: async () => (await import('./office/epub.parser.js')).parseEpub,
  email: async () => (await import('./mail/eml.parser.js')).parseEml,
  mbox: async () => (await import('./mail/mbox.parser.js')).parseMbox,
  outlook: async () => (await import('./mail/msg.parser.js')).parseMsg,
  subtitles: async () => (await import('./subtitles.parser.js')).parseSubtitles,
};

function sheets(format: 'xlsx' | 'xls'): () => Promise<Parser> {
  return async () => {
    const { parseSheets } = await import('./office/sheets.parser.js');
    return (bytes, options) => parseSheets(bytes, format, options);
  };
}

/**
 * Reads a file in this process: only the parser process and tests should, because files are not to be trusted.
 * @param file its path, or its bytes
 * @throws ParseFailure
 */
export async function parseFile(
  file: string | Uint8Array,
  mediaType: string,
  { maxPages = 2_000, password }: Partial<ParseOptions> = {},
): Promise<ExtractedDocument> {
  const bytes = typeof file === 'string' ? await readFile(file) : file;
  const load = PARSERS[FORMAT_OF_MEDIA_TYPE[mediaType]!];
  if (!load) throw new ParseFailure('unsupported-type');
  const parse = await load();
  return parse(bytes, { maxPages, password });
}
