import { inflateRawSync } from 'node:zlib';
import { ParseFailure } from './parse-failure.js';

export interface ZipEntry {
  name: string;
  encrypted: boolean;
  compressedBytes: number;
  /** As the directory claims it. */
  sizeBytes: number;
  /** Where the entry's own header begins in the file. */
  offset: number;
}

const END_OF_DIRECTORY = 0x06054b50;
const ENTRY = 0x02014b50;
const END_BYTES = 22;
const ENTRY_BYTES = 46;
const LOCAL_HEADER_BYTES = 30;
const MAX_COMMENT_BYTES = 65_535;

/** A book of a thousand pages has three for each. */
const MAX_ENTRIES = 10_000;
/** All that an archive may unpack to, in bytes. */
export const MAX_TOTAL_BYTES = 200 * 1_048_576;
/** Office files reach 30 or 40 in their styles; small entries may be all zeros and harmless. */
const MAX_RATIO = 100;
const RATIO_FROM_BYTES = 1_048_576;

/**
 * Reads what a ZIP file says it holds, without unpacking anything.
 * @throws ParseFailure corrupt-file when there is no readable directory; too-complex for archives that would unpack
 *   to far more than they are, or that name files outside themselves
 */
export function readZipDirectory(bytes: Uint8Array): ZipEntry[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = findEnd(view);
  const count = view.getUint16(end + 10, true);
  if (count > MAX_ENTRIES) throw new ParseFailure('too-complex');
  let at = view.getUint32(end + 16, true);
  const entries: ZipEntry[] = [];
  for (let i = 0; i < count; i += 1) {
    if (at + ENTRY_BYTES > end || view.getUint32(at, true) !== ENTRY) throw new ParseFailure('corrupt-file');
    const nameLength = view.getUint16(at + 28, true);
    entries.push({
      name: new TextDecoder().decode(bytes.subarray(at + ENTRY_BYTES, at + ENTRY_BYTES + nameLength)),
      encrypted: (view.getUint16(at + 8, true) & 1) === 1,
      compressedBytes: view.getUint32(at + 20, true),
      sizeBytes: view.getUint32(at + 24, true),
      offset: view.getUint32(at + 42, true),
    });
    at += ENTRY_BYTES + nameLength + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
  refuseBombs(entries, bytes.length);
  return entries;
}

/**
 * Unpacks one entry.
 * @throws ParseFailure too-complex when it unpacks to more than `maxBytes`, corrupt-file when it cannot be unpacked
 */
export function unpackEntry(
  bytes: Uint8Array,
  { offset, compressedBytes }: ZipEntry,
  maxBytes: number,
): Buffer {
  try {
    const header = new DataView(bytes.buffer, bytes.byteOffset + offset, LOCAL_HEADER_BYTES);
    const start = offset + LOCAL_HEADER_BYTES + header.getUint16(26, true) + header.getUint16(28, true);
    const packed = bytes.subarray(start, start + compressedBytes);
    const isStored = header.getUint16(8, true) === 0;
    if (isStored && packed.length > maxBytes) throw new ParseFailure('too-complex');
    return isStored ? Buffer.from(packed) : inflateRawSync(packed, { maxOutputLength: maxBytes });
  } catch (error) {
    if (error instanceof ParseFailure) throw error;
    const isTooLarge = (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';
    throw new ParseFailure(isTooLarge ? 'too-complex' : 'corrupt-file', { cause: error });
  }
}

function findEnd(view: DataView): number {
  const last = view.byteLength - END_BYTES;
  for (let at = last; at >= 0 && at >= last - MAX_COMMENT_BYTES; at -= 1)
    if (view.getUint32(at, true) === END_OF_DIRECTORY) return at;
  throw new ParseFailure('corrupt-file');
}

function refuseBombs(entries: readonly ZipEntry[], archiveBytes: number): void {
  const total = entries.reduce((sum, entry) => sum + entry.sizeBytes, 0);
  // Entries that share their bytes: the same few kilobytes, unpacked a thousand times.
  const packed = entries.reduce((sum, entry) => sum + entry.compressedBytes, 0);
  const swollen = entries.some(
    ({ sizeBytes, compressedBytes }) =>
      sizeBytes > RATIO_FROM_BYTES && sizeBytes > MAX_RATIO * Math.max(1, compressedBytes),
  );
  const outside = entries.some(({ name }) => name.startsWith('/') || name.split(/[\\/]/).includes('..'));
  const names = new Set(entries.map((entry) => entry.name));
  if (total > MAX_TOTAL_BYTES || packed > archiveBytes || swollen || outside || names.size < entries.length)
    throw new ParseFailure('too-complex');
}
