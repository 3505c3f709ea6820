import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import type { ExtractedPart } from './extractor.js';

/** What is kept of a part for the stages after its reading: its attachments have become documents by then. */
export type StoredPart = Omit<ExtractedPart, 'attachments'>;

/** What a decompressed part may take; the limits of those who read parts lie below. */
const MAX_UNPACKED_BYTES = 256 * 1_024 * 1_024;
/** Twice as fast as the usual level, for a tenth more bytes. */
const LEVEL = 3;

export function packPart({ attachments: _, ...part }: ExtractedPart): Promise<Buffer> {
  return promisify(gzip)(JSON.stringify(part), { level: LEVEL });
}

export async function unpackPart(packed: Buffer): Promise<StoredPart> {
  const unpacked = await promisify(gunzip)(packed, { maxOutputLength: MAX_UNPACKED_BYTES });
  return JSON.parse(unpacked.toString('utf8')) as StoredPart;
}
