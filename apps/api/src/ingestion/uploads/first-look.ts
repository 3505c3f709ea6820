import { fileTypeFromBuffer } from 'file-type';
import { EmptyDocument, MistypedDocument, UnsupportedDocumentType } from '../ingestion.errors.js';
import { ParseFailure } from '../parsing/index.js';
import { mediaTypeOf } from '../parsing/media-types.js';
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
    if (isCertain || !(await mayBeDocx(head, claim))) throw new UnsupportedDocumentType();
    return mediaTypeOf('docx');
  }
}

/**
 * The directory of a ZIP file stands at its end, and an encrypted DOCX is no ZIP at all but looks like every other
 * old Office file. So the start says what it says, and where it says nothing the name decides.
 */
async function mayBeDocx(head: Uint8Array, { filename }: FileClaim): Promise<boolean> {
  const type = await fileTypeFromBuffer(head).catch(() => undefined);
  if (type?.ext === 'docx') return true;
  const isNamedSo = /\.docx$/i.test(filename);
  return isNamedSo && (type === undefined || type.ext === 'zip' || type.ext === 'cfb');
}
