import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { ExtractedPart } from './extractor.js';

/** Twice as fast as the usual level, for a tenth more bytes. */
const LEVEL = 3;

/** What is kept of a part for the stages after its reading: files have become documents by then, and pictures text. */
export function packPart({ attachments: _, pictures: __, ...part }: ExtractedPart): Promise<Buffer> {
  return packJson(JSON.stringify(part));
}

/** @param part without attachments and pictures */
export function packJson(part: string | Buffer): Promise<Buffer> {
  return promisify(gzip)(part, { level: LEVEL });
}
