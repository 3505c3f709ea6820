import type { ExtractedDocument } from '../extracted-document.js';
import { cleanText } from '../clean-text.js';
import { ParseFailure } from '../parse-failure.js';
import { Pictures } from '../pictures.js';
import { find, findAll, parseXml } from '../xml.js';
import { ZipArchive } from '../zip-archive.js';
import { openOdt } from './odt-encryption.js';
import { OdtReader } from './odt-reader.js';

/**
 * Reads an OpenDocument text. Pages are a matter of the printer there, so passages of it have none.
 * @throws ParseFailure corrupt-file, no-text, too-complex, password-protected, wrong-password
 */
export function parseOdt(bytes: Uint8Array, { password }: { password?: string } = {}): ExtractedDocument {
  const archive = ZipArchive.open(bytes);
  const read = openOdt(archive, password);
  const root = parseXml(read('content.xml') ?? new Uint8Array());
  const body = find(root, 'office:text');
  if (!body) throw new ParseFailure('corrupt-file');
  const reader = new OdtReader(titleStyles(root));
  reader.visit(body);
  const pictures = new Pictures();
  for (const { name, after } of reader.pictures) {
    const picture = read(name);
    if (picture) pictures.add(picture, after, null);
  }
  const { blocks } = reader;
  if (blocks.length === 0 && pictures.found.length === 0) throw new ParseFailure('no-text');
  const { found, warnings } = pictures;
  return {
    format: 'odt',
    title: titleIn(read('meta.xml')),
    pageCount: null,
    blocks,
    warnings,
    pictures: found,
  };
}

function titleIn(meta: Uint8Array | undefined): string | null {
  const title = meta && find(parseXml(meta), 'dc:title')?.textContent;
  return cleanText(title ?? '') || null;
}

/** The styles for titles, and what the author derived from them by hand. */
function titleStyles(root: ReturnType<typeof parseXml>): Map<string, number> {
  const titles = new Map([
    ['Title', 1],
    ['Subtitle', 2],
  ]);
  for (const style of findAll(root, 'style:style')) {
    const level = titles.get(style.getAttribute('style:parent-style-name') ?? '');
    if (level !== undefined) titles.set(style.getAttribute('style:name') ?? '', level);
  }
  return titles;
}
