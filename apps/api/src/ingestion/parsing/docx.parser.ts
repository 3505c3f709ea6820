import mammoth from 'mammoth';
import { cleanText } from './clean-text.js';
import type { ExtractedDocument } from './extracted-document.js';
import { readHtml } from './html/html-blocks.js';
import { parsePage } from './html.parser.js';
import { titleOf } from './office/open-xml.js';
import { ParseFailure } from './parse-failure.js';
import { Pictures } from './pictures.js';
import { ZipArchive } from './zip-archive.js';

/** Word's own names for titles become headings, so that sections keep their paths. */
const STYLES = [
  "p[style-name='Title'] => h1:fresh",
  "p[style-name='Subtitle'] => h2:fresh",
  // Comments are listed at the end of the document.
  'comment-reference => sup',
];

/**
 * Reads a Word document. Pages are a matter of the printer there, so passages of it have none.
 * @throws ParseFailure corrupt-file, no-text, too-complex
 */
export async function parseDocx(bytes: Uint8Array): Promise<ExtractedDocument> {
  const archive = ZipArchive.open(bytes);
  const { html, images } = await toHtml(bytes);
  const { blocks, pictures: places } = readHtml(parsePage(html).body);
  const pictures = new Pictures();
  for (const { source, after } of places) {
    const image = images[Number(source)];
    if (image) pictures.add(image, after, null);
  }
  const { found, warnings } = pictures;
  if (blocks.length === 0 && found.length === 0) throw new ParseFailure('no-text');
  const title = cleanText(titleOf(archive) ?? '') || null;
  return { format: 'docx', title, pageCount: null, blocks, warnings, pictures: found };
}

/** The pictures stand in the page by their number. */
async function toHtml(bytes: Uint8Array): Promise<{ html: string; images: Buffer[] }> {
  const images: Buffer[] = [];
  try {
    const { value } = await mammoth.convertToHtml(
      { buffer: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length) },
      {
        styleMap: STYLES,
        includeEmbeddedStyleMap: false,
        externalFileAccess: false,
        convertImage: mammoth.images.imgElement(async (image) => {
          images.push(await image.readAsBuffer());
          return { src: String(images.length - 1) };
        }),
      },
    );
    return { html: value, images };
  } catch (error) {
    throw new ParseFailure('corrupt-file', { cause: error });
  }
}
