import { readFile } from 'node:fs/promises';
import type { ExtractedDocument } from './extracted-document.js';
import { ParseFailure } from './parse-failure.js';
import { parsePdf } from './pdf.parser.js';

export const MEDIA_TYPES = {
  pdf: 'application/pdf',
} as const;

/**
 * Reads a file in this process: only the parser process and tests should, because files are not to be trusted.
 * @throws ParseFailure
 */
export async function parseFile(
  file: string | Uint8Array,
  mediaType: string,
  { maxPages = 2_000 }: { maxPages?: number } = {},
): Promise<ExtractedDocument> {
  const bytes = typeof file === 'string' ? new Uint8Array(await readFile(file)) : file;
  switch (mediaType) {
    case MEDIA_TYPES.pdf:
      return parsePdf(bytes, { maxPages });
    default:
      throw new ParseFailure('unsupported-type');
  }
}
