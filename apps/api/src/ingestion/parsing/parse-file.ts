import { readFile } from 'node:fs/promises';
import { parseDocx } from './docx.parser.js';
import type { ExtractedDocument } from './extracted-document.js';
import { parseHtml } from './html.parser.js';
import { parseMarkdown } from './markdown.parser.js';
import { FORMAT_OF_MEDIA_TYPE } from './media-types.js';
import { ParseFailure } from './parse-failure.js';
import { parsePdf } from './pdf.parser.js';
import { parseText } from './text.parser.js';

/**
 * Reads a file in this process: only the parser process and tests should, because files are not to be trusted.
 * @param file its path, or its bytes
 * @throws ParseFailure
 */
export async function parseFile(
  file: string | Uint8Array,
  mediaType: string,
  { maxPages = 2_000 }: { maxPages?: number } = {},
): Promise<ExtractedDocument> {
  const bytes = typeof file === 'string' ? await readFile(file) : file;
  switch (FORMAT_OF_MEDIA_TYPE[mediaType]) {
    case 'pdf':
      return parsePdf(bytes, { maxPages });
    case 'docx':
      return parseDocx(bytes);
    case 'html':
      return parseHtml(bytes);
    case 'markdown':
      return parseMarkdown(bytes);
    case 'text':
      return parseText(bytes);
    default:
      throw new ParseFailure('unsupported-type');
  }
}
