import mammoth from 'mammoth';
import type { ExtractedDocument } from './extracted-document.js';
import { extractHtml } from './html.parser.js';
import { ParseFailure } from './parse-failure.js';

/** Word's own names for titles become headings, so that sections keep their paths. */
const STYLES = [
  "p[style-name='Title'] => h1:fresh",
  "p[style-name='Subtitle'] => h2:fresh",
  // Comments are listed at the end of the document.
  'comment-reference => sup',
];

/**
 * Reads a Word document. Pages are a matter of the printer there, so passages of it have none.
 * @throws ParseFailure corrupt-file, no-text
 */
export async function parseDocx(bytes: Uint8Array): Promise<ExtractedDocument> {
  return extractHtml(await toHtml(bytes), 'docx');
}

async function toHtml(bytes: Uint8Array): Promise<string> {
  try {
    const { value } = await mammoth.convertToHtml(
      { buffer: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length) },
      {
        styleMap: STYLES,
        includeEmbeddedStyleMap: false,
        externalFileAccess: false,
        // Images are not read; without this each would be turned into base64.
        convertImage: mammoth.images.imgElement(() => Promise.resolve({ src: '' })),
      },
    );
    return value;
  } catch (error) {
    throw new ParseFailure('corrupt-file', { cause: error });
  }
}
