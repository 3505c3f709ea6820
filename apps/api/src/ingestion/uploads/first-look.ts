import { fileTypeFromBuffer } from 'file-type';
import { EmptyDocument, MistypedDocument, UnsupportedDocumentType } from '../ingestion.errors.js';
import type { DocumentFormat } from '../parsing/extracted-document.js';
import { ParseFailure } from '../parsing/index.js';
import { FORMAT_OF_MEDIA_TYPE, mediaTypeByName } from '../parsing/media-types.js';
import { type FileClaim, sniff } from '../parsing/sniff.js';

/** As much as a look takes; small files are seen whole. */
export const HEAD_BYTES = 65_536;

/**
 * What a file is, as far as its first bytes tell. What can certainly not be read is refused here, while the client
 * waits; whether the rest is whole, and readable without a password, shows when it is read.
 *
 * @returns its media type, or the one it most likely has
 * @throws EmptyDocument, UnsupportedDocumentType, MistypedDocument
 */
export async function firstLook(head: Uint8Array, claim: FileClaim): Promise<string> {
  try {
    return await sniff(head, claim);
  } catch (error) {
    if (!(error instanceof ParseFailure)) throw error;
    if (error.code === 'empty-file') throw new EmptyDocument();
    if (error.code === 'mistyped') throw new MistypedDocument();
    const isCertain = head.byteLength < HEAD_BYTES && error.code === 'unsupported-type';
    const likely = isCertain ? undefined : await likelyType(head, claim);
    if (likely === undefined) throw new UnsupportedDocumentType();
    return likely;
  }
}

/**
 * The directory of a ZIP file stands at its end, and that of an old Office file anywhere. So the start says what it
 * says, and where it says nothing the name decides.
 */
async function likelyType(head: Uint8Array, { filename }: FileClaim): Promise<string | undefined> {
  const type = await fileTypeFromBuffer(head).catch(() => undefined);
  const shown = mediaTypeByName(`x.${type?.ext}`);
  if (shown && isIn(ZIPS, shown)) return shown;
  const named = mediaTypeByName(filename);
  const isZip = type === undefined || type.ext === 'zip';
  const isOle = type === undefined || type.ext === 'cfb';
  return named && ((isZip && isIn(ZIPS, named)) || (isOle && isIn(OLES, named))) ? named : undefined;
}

const ZIPS: readonly DocumentFormat[] = ['docx', 'pptx', 'xlsx', 'odt', 'epub'];
/** Office encrypts its newer formats into the container of the old ones. */
const OLES: readonly DocumentFormat[] = ['xls', 'outlook', 'docx', 'pptx', 'xlsx'];

const isIn = (formats: readonly DocumentFormat[], mediaType: string) =>
  formats.includes(FORMAT_OF_MEDIA_TYPE[mediaType]!);
