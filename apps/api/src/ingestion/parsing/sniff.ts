import { fileTypeFromBuffer } from 'file-type';
import { decodeText, isText } from './decode-text.js';
import type { DocumentFormat } from './extracted-document.js';
import { extensionOf, FORMAT_OF_MEDIA_TYPE, mediaTypeByName, mediaTypeOf } from './media-types.js';
import { OLE_MAGIC, oleRootNames } from './ole-directory.js';
import { ParseFailure } from './parse-failure.js';
import { readZipDirectory, unpackEntry } from './zip-directory.js';

export interface FileClaim {
  filename: string;
  declaredType?: string;
}

/**
 * What a file is, by its content. A PDF or an office file is read as such whatever its name says. Among texts, which
 * all look alike, the name decides; but a text that claims to be a PDF or an office file is refused as mistyped: it is
 * mostly an error page that was saved instead of the document. An encrypted office file is what its name says, until
 * it is opened.
 * @returns a media type that can be read
 * @throws ParseFailure empty-file, unsupported-type, mistyped, password-protected, corrupt-file, too-complex
 */
export async function sniff(bytes: Uint8Array, claim: FileClaim): Promise<string> {
  if (bytes.length === 0) throw new ParseFailure('empty-file');
  return (await binaryType(bytes, claim)) ?? textType(bytes, claim);
}

/** The office formats that Office encrypts as a whole, in an OLE container. */
const ENCRYPTED_AS_A_WHOLE = new Set<DocumentFormat>(['docx', 'pptx', 'xlsx']);

/** Whether the bytes are a DOCX, PPTX or XLSX that a password protects. */
export function isEncryptedOffice(bytes: Uint8Array): boolean {
  return startsWith(bytes, OLE_MAGIC) && oleRootNames(bytes).has('EncryptedPackage');
}

async function binaryType(bytes: Uint8Array, claim: FileClaim): Promise<string | undefined> {
  // Readers accept a PDF whose header is preceded by some rubbish, and so do people who send them.
  if (latin1(bytes.subarray(0, HEAD_BYTES)).includes('%PDF-')) return mediaTypeOf('pdf');
  if (startsWith(bytes, 'PK\u0003\u0004') || startsWith(bytes, 'PK\u0005\u0006'))
    return mediaTypeOf(zipFormat(bytes));
  if (startsWith(bytes, OLE_MAGIC)) return mediaTypeOf(oleFormat(bytes, claim));
  if (startsWith(bytes, '{\\rtf')) return mediaTypeOf('rtf');
  // Its directory may stand at its end, where nobody looks who sees the beginning only.
  if (TIFF_MAGIC.some((magic) => startsWith(bytes, magic))) return 'image/tiff';
  const known = await fileTypeFromBuffer(bytes.subarray(0, LOOK_BYTES)).catch(() => undefined);
  if (!known || known.mime.startsWith('text/') || TEXT_TYPES.has(known.ext)) return undefined;
  const mediaType = MEDIA_TYPE_OF_BINARY[known.ext];
  if (!mediaType) throw new ParseFailure('unsupported-type');
  return mediaType;
}

function zipFormat(bytes: Uint8Array): DocumentFormat {
  const entries = readZipDirectory(bytes);
  const find = (name: string) => entries.find((entry) => entry.name === name);
  if (entries.some((entry) => entry.encrypted)) throw new ParseFailure('password-protected');
  const types = find('[Content_Types].xml');
  const parts = types ? unpackEntry(bytes, types, MANIFEST_BYTES).toString() : '';
  const office = OFFICE_PARTS.find(([pattern]) => pattern.test(parts));
  if (office) return office[1];
  const stated = find('mimetype');
  const mimetype = stated ? unpackEntry(bytes, stated, MANIFEST_BYTES).toString('latin1').trim() : '';
  if (/^application\/vnd\.oasis\.opendocument\.text(-template)?$/.test(mimetype)) return 'odt';
  if (mimetype === mediaTypeOf('epub') || find('META-INF/container.xml')) return 'epub';
  throw new ParseFailure('unsupported-type');
}

function oleFormat(bytes: Uint8Array, { filename }: FileClaim): DocumentFormat {
  const names = oleRootNames(bytes);
  if (names.has('EncryptedPackage')) {
    const named = FORMAT_OF_MEDIA_TYPE[mediaTypeByName(filename) ?? ''];
    return named && ENCRYPTED_AS_A_WHOLE.has(named) ? named : 'docx';
  }
  if (names.has('__properties_version1.0')) return 'outlook';
  if (names.has('Workbook') || names.has('Book')) return 'xls';
  throw new ParseFailure('unsupported-type');
}

function textType(bytes: Uint8Array, { filename, declaredType }: FileClaim): string {
  if (!isText(bytes)) throw new ParseFailure('unsupported-type');
  const extension = extensionOf(filename);
  const named = mediaTypeByName(filename);
  const format = FORMAT_OF_MEDIA_TYPE[named ?? ''];
  if (OTHER_BINARIES.has(extension) || (format && !TEXT_FORMATS.has(format)))
    throw new ParseFailure('mistyped');
  if (named === undefined && extension !== '') throw new ParseFailure('unsupported-type');
  const head = decodeText(bytes.subarray(0, LOOK_BYTES), 'replace');
  if (looksLikeHtml(head)) return mediaTypeOf('html');
  if (head.startsWith('WEBVTT')) return 'text/vtt';
  if (format === 'email' || format === 'mbox' || format === undefined) {
    if (MBOX_START.test(head)) return mediaTypeOf('mbox');
    if (format !== undefined || MAIL_START.test(head)) return mediaTypeOf('email');
    if (SRT_START.test(head)) return 'application/x-subrip';
    return declaredType === mediaTypeOf('markdown') ? declaredType : mediaTypeOf('text');
  }
  // A file called .html without a single tag is plain text.
  return format === 'html' ? mediaTypeOf('text') : named!;
}

/** A tag that only pages have, behind nothing but comments and declarations; or a piece of a page full of tags. */
function looksLikeHtml(text: string): boolean {
  const head = text.replace(/<!--[\s\S]*?-->/g, '').trimStart();
  if (/^(<\?xml[^>]*\?>\s*)?(<!doctype\s+html|<html|<head|<body)/i.test(head)) return true;
  return /^<(div|p|h[1-6]|table|ul|ol|section|article|main|span|title|meta)\b[^>]*>/i.test(head);
}

const startsWith = (bytes: Uint8Array, magic: string) => latin1(bytes.subarray(0, magic.length)) === magic;
const latin1 = (bytes: Uint8Array) =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');

/** Little-endian and big-endian. */
const TIFF_MAGIC = ['II*\u0000', 'MM\u0000*'];
const HEAD_BYTES = 1_024;
const LOOK_BYTES = 65_536;
const MANIFEST_BYTES = 1_048_576;

/** The main part of a document or template, with macros or without; its place in the archive varies. */
const OFFICE_PARTS: readonly [RegExp, DocumentFormat][] = [
  [
    /wordprocessingml\.(?:document|template)\.main\+xml|ms-word\.(?:document|template)\.macroEnabled/i,
    'docx',
  ],
  [
    /presentationml\.(?:presentation|slideshow|template)\.main\+xml|ms-powerpoint\.(?:presentation|slideshow|template)\.macroEnabled/i,
    'pptx',
  ],
  [
    /spreadsheetml\.(?:sheet|template)\.main\+xml|ms-excel\.(?:sheet|template)\.(?:binary\.)?macroEnabled/i,
    'xlsx',
  ],
];

/** By the endings that `file-type` gives to what it recognises. */
const MEDIA_TYPE_OF_BINARY: Readonly<Record<string, string>> = {
  png: 'image/png',
  apng: 'image/png',
  jpg: 'image/jpeg',
  tif: 'image/tiff',
  webp: 'image/webp',
  wav: 'audio/wav',
  flac: 'audio/flac',
  mp3: 'audio/mpeg',
  m4a: 'audio/mp4',
  ogg: 'audio/ogg',
  opus: 'audio/ogg',
  mp4: 'video/mp4',
  m4v: 'video/mp4',
  webm: 'video/webm',
  mkv: 'video/x-matroska',
};

/** What `file-type` recognises and what is text all the same. */
const TEXT_TYPES = new Set(['xml', 'vcf', 'ics', 'eml', 'mbox', 'vtt']);

const TEXT_FORMATS = new Set<DocumentFormat>([
  'text',
  'markdown',
  'html',
  'csv',
  'rtf',
  'email',
  'mbox',
  'subtitles',
]);

/** Names of formats that are not read and are never plain text. */
const OTHER_BINARIES = new Set('doc ppt ods odp zip gif heic mov ogg'.split(' '));

const MBOX_START = /^From \S+ .*\d{4}\r?\n[A-Za-z-]+:/;
const MAIL_START =
  /^(?:[A-Za-z][A-Za-z0-9-]*:[^\n]*\n(?:[ \t][^\n]*\n)*)*?(?:from|received|message-id|mime-version|return-path):/i;
const SRT_START = /^\uFEFF?\s*\d+\r?\n\d\d:\d\d:\d\d[,.]\d{3} --> /;
