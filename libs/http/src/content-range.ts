import { RangeNotSatisfiable } from './http.errors.js';

/** Bytes of a file, both ends among them. */
export interface ByteRange {
  start: number;
  end: number;
}

/**
 * What a `Range` header asks for (RFC 9110, section 14). Only one range of bytes is given; whoever asks for several, in
 * another unit, for the state of another file (`If-Range`) or not in the right form gets the whole file, as the
 * standard allows.
 *
 * @returns undefined for the whole file
 * @throws RangeNotSatisfiable
 */
export function rangeIn(
  { range, ifRange }: { range?: string; ifRange?: string },
  { sizeBytes, etag }: { sizeBytes: number; etag: string },
): ByteRange | undefined {
  const [, first, last] = /^bytes=\s*(\d{0,15})\s*-\s*(\d{0,15})\s*$/i.exec(range ?? '') ?? [];
  if (first === undefined || last === undefined || (first === '' && last === '')) return undefined;
  if (ifRange !== undefined && ifRange !== etag) return undefined;
  if (first === '') {
    const length = Math.min(Number(last), sizeBytes);
    if (length === 0) throw new RangeNotSatisfiable(sizeBytes);
    return { start: sizeBytes - length, end: sizeBytes - 1 };
  }
  const start = Number(first);
  if (last !== '' && Number(last) < start) return undefined;
  if (start >= sizeBytes) throw new RangeNotSatisfiable(sizeBytes);
  return { start, end: last === '' ? sizeBytes - 1 : Math.min(Number(last), sizeBytes - 1) };
}
