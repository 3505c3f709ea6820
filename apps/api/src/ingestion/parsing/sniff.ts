import { fileTypeFromBuffer } from 'file-type';
import { decodeText } from './decode-text.js';
import type { DocumentFormat } from './extracted-document.js';
import { mediaTypeOf } from './media-types.js';
import { ParseFailure } from './parse-failure.js';
import { readZipDirectory, unpackEntry } from './zip-directory.js';

export interface FileClaim {
  filename: string;
  declaredType?: string;
}

/**
 * What a file is, by its content. A PDF or DOCX is read as such whatever its name says. Among texts, which all look
 * alike, the name decides; but a text that claims to be a PDF or an office file is refused as mistyped: it is mostly
 * an error page that was saved instead of the document.
 * @returns a media type that can be read
 * @throws ParseFailure empty-file, unsupported-type, mistyped, password-protected, corrupt-file, too-complex
 */
export async function sniff(bytes: Uint8Array, claim: FileClaim): Promise<string> {
  if (bytes.length === 0) throw new ParseFailure('empty-file');
  return mediaTypeOf((await binaryFormat(bytes)) ?? textFormat(bytes, claim));
}

async function binaryFormat(bytes: Uint8Array): Promise<DocumentFormat | undefined> {
  const head = latin1(bytes.subarray(0, HEAD_BYTES));
  // Readers accept a PDF whose header is preceded by some rubbish, and so do people who send them.
  if (head.includes('%PDF-')) return 'pdf';
  if (head.startsWith('PK\u0003\u0004') || head.startsWith('PK\u0005\u0006')) return zipFormat(bytes);
  if (head.startsWith(OLE_MAGIC))
    throw new ParseFailure(isEncryptedOffice(bytes) ? 'password-protected' : 'unsupported-type');
  if (head.startsWith('{\\rtf')) throw new ParseFailure('unsupported-type');
  const known = await fileTypeFromBuffer(bytes.subarray(0, 65_536)).catch(() => undefined);
  if (known && !known.mime.startsWith('text/') && known.mime !== 'application/xml')
    throw new ParseFailure('unsupported-type');
  return undefined;
}

function zipFormat(bytes: Uint8Array): DocumentFormat {
  const entries = readZipDirectory(bytes);
  const find = (name: string) => entries.find((entry) => entry.name === name);
  if (entries.some((entry) => entry.encrypted)) throw new ParseFailure('password-protected');
  // OpenDocument lists the keys of its encrypted entries in a manifest.
  const manifest = find('mimetype') && find('META-INF/manifest.xml');
  if (manifest && unpackEntry(bytes, manifest, MANIFEST_BYTES).includes('encryption-data'))
    throw new ParseFailure('password-protected');
  const types = find('[Content_Types].xml');
  if (types && WORD_DOCUMENT.test(unpackEntry(bytes, types, MANIFEST_BYTES).toString())) return 'docx';
  throw new ParseFailure('unsupported-type');
}

/** Office puts an encrypted document into an OLE container, as a stream of this name in UTF-16. */
function isEncryptedOffice(bytes: Uint8Array): boolean {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes(
    Buffer.from('EncryptedPackage', 'utf16le'),
  );
}

function textFormat(bytes: Uint8Array, { filename, declaredType }: FileClaim): DocumentFormat {
  if (!looksLikeText(bytes)) throw new ParseFailure('unsupported-type');
  const extension = /\.([^./\\]+)$/.exec(filename)?.[1]?.toLowerCase() ?? '';
  if (CLAIMS_OF_BINARY.has(extension)) throw new ParseFailure('mistyped');
  const format = FORMAT_OF_EXTENSION[extension];
  if (format === undefined && extension !== '') throw new ParseFailure('unsupported-type');
  if (looksLikeHtml(bytes)) return 'html';
  const byType = declaredType === 'text/markdown' ? 'markdown' : 'text';
  // A file called .html without a single tag is plain text.
  return format === 'html' || format === undefined ? byType : format;
}

/** No zero bytes, unless a byte order mark says that they are halves of UTF-16 letters. */
function looksLikeText(bytes: Uint8Array): boolean {
  const isUtf16 = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
  return isUtf16 || !bytes.subarray(0, 65_536).includes(0);
}

/** A tag that only pages have, behind nothing but comments and declarations; or a piece of a page full of tags. */
function looksLikeHtml(bytes: Uint8Array): boolean {
  const head = decodeText(bytes.subarray(0, 65_536), 'replace')
    .replace(/<!--[\s\S]*?-->/g, '')
    .trimStart();
  if (/^(<\?xml[^>]*\?>\s*)?(<!doctype\s+html|<html|<head|<body)/i.test(head)) return true;
  return /^<(div|p|h[1-6]|table|ul|ol|section|article|main|span|title|meta)\b[^>]*>/i.test(head);
}

const latin1 = (bytes: Uint8Array) =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');

const HEAD_BYTES = 1_024;
const MANIFEST_BYTES = 1_048_576;
const OLE_MAGIC = '\u00d0\u00cf\u0011\u00e0\u00a1\u00b1\u001a\u00e1';

/** The main part of a document or template of Word, with macros or without; its place in the archive varies. */
const WORD_DOCUMENT =
  /wordprocessingml\.(?:document|template)\.main\+xml|ms-word\.(?:document|template)\.macroEnabled/i;

const FORMAT_OF_EXTENSION: Readonly<Record<string, DocumentFormat>> = {
  txt: 'text',
  text: 'text',
  md: 'markdown',
  markdown: 'markdown',
  htm: 'html',
  html: 'html',
  xhtml: 'html',
};

/** Names of formats that are never plain text. */
const CLAIMS_OF_BINARY = new Set(
  `pdf doc docx docm dotx odt ods odp xls xlsx xlsm ppt pptx epub zip
  msg png jpg jpeg gif tif tiff webp heic mp3 mp4 wav flac`.split(/\s+/),
);
