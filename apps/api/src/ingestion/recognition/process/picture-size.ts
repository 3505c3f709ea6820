import UTIF from 'utif2';

export interface Size {
  width: number;
  height: number;
}

/**
 * How large a picture says it is, by its header alone: a small file may unpack to more than there is memory.
 * @returns for each page, of which only a TIFF has several; undefined when the header makes no sense
 */
export function pictureSizes(bytes: Buffer): Size[] | undefined {
  try {
    const sizes = sizesOf(bytes);
    const isSound = sizes.length > 0 && sizes.every(({ width, height }) => width > 0 && height > 0);
    return isSound ? sizes : undefined;
  } catch {
    return undefined;
  }
}

function sizesOf(bytes: Buffer): Size[] {
  const head = bytes.toString('latin1', 0, 16);
  if (head.startsWith('\x89PNG')) return [{ width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) }];
  if (head.startsWith('\xff\xd8')) return jpegSize(bytes);
  if (/^RIFF.{4}WEBP/s.test(head)) return webpSize(bytes);
  if (/^(II\*\0|MM\0\*)/.test(head)) return tiffSizes(bytes);
  return [];
}

/** From the frame header, which stands somewhere among the segments (ITU-T T.81, B.2.2). */
function jpegSize(bytes: Buffer): Size[] {
  for (let at = 2; at + 9 <= bytes.length;) {
    if (bytes[at] !== 0xff) return [];
    const marker = bytes[at + 1]!;
    if (marker === 0xff) {
      at += 1;
      continue;
    }
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame) return [{ width: bytes.readUInt16BE(at + 7), height: bytes.readUInt16BE(at + 5) }];
    at += 2 + bytes.readUInt16BE(at + 2);
  }
  return [];
}

/** Lossy, lossless and extended files say it each in its own way (RFC 9649). */
function webpSize(bytes: Buffer): Size[] {
  const chunk = bytes.toString('latin1', 12, 16);
  if (chunk === 'VP8X') return [{ width: bytes.readUIntLE(24, 3) + 1, height: bytes.readUIntLE(27, 3) + 1 }];
  if (chunk === 'VP8 ')
    return [{ width: bytes.readUInt16LE(26) & 0x3fff, height: bytes.readUInt16LE(28) & 0x3fff }];
  if (chunk !== 'VP8L') return [];
  const bits = bytes.readUInt32LE(21);
  return [{ width: (bits & 0x3fff) + 1, height: ((bits >> 14) & 0x3fff) + 1 }];
}

function tiffSizes(bytes: Buffer): Size[] {
  return tiffPages(bytes).map((page) => ({ width: tagOf(page, 't256'), height: tagOf(page, 't257') }));
}

/** The directories of a TIFF, without its pixels. Previews and masks are no pages (TIFF 6.0, tag 254). */
export function tiffPages(bytes: Buffer): UTIF.IFD[] {
  const all = UTIF.decode(bytes);
  const pages = all.filter((page) => (tagOf(page, 't254') & ANOTHER_KIND) === 0 && tagOf(page, 't256') > 0);
  return pages.length > 0 ? pages : all.slice(0, 1);
}

/** A number of a directory; 0 when it is not there. */
export function tagOf(page: UTIF.IFD, tag: string): number {
  const value = (page[tag] as unknown[] | undefined)?.[0];
  return typeof value === 'number' ? value : 0;
}

/** A smaller version of another page, or its mask. */
const ANOTHER_KIND = 0b101;
