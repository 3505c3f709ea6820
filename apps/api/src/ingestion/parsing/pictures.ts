import { createHash } from 'node:crypto';
import type { ExtractionWarning, Picture } from './extracted-document.js';

/** Gathers the pictures of a document that may show text: no logos, no lines, none twice, and not too many. */
export class Pictures {
  readonly found: Picture[] = [];
  readonly warnings: ExtractionWarning[] = [];
  private readonly seen = new Set<string>();
  private bytes = 0;

  /** @param after the index of the block behind which it stands */
  add(bytes: Uint8Array, after: number, page: number | null): void {
    if (!mayShowText(bytes)) return;
    const hash = createHash('sha256').update(bytes).digest('base64');
    if (this.seen.has(hash)) return;
    this.seen.add(hash);
    if (this.found.length >= MAX_PICTURES || this.bytes + bytes.length > MAX_BYTES) {
      if (this.warnings.length === 0) this.warnings.push({ code: 'picture-skipped' });
      return;
    }
    this.bytes += bytes.length;
    this.found.push({ bytes, after, page });
  }
}

function mayShowText(bytes: Uint8Array): boolean {
  const size = pixelsOf(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
  return size !== undefined && Math.min(...size) >= MIN_SIDE && size[0] * size[1] >= MIN_PIXELS;
}

/** Width and height; undefined for what is no picture that can be read. */
function pixelsOf(bytes: Buffer): [number, number] | undefined {
  if (bytes.length < MIN_BYTES) return undefined;
  if (bytes.readUInt32BE(0) === 0x8950_4e47) return [bytes.readUInt32BE(16), bytes.readUInt32BE(20)];
  if (bytes.readUInt16BE(0) === 0xffd8) return jpegPixels(bytes);
  const head = bytes.toString('latin1', 0, 12);
  // How large these are, who reads them finds out.
  if (/^(II\*\0|MM\0\*)/.test(head) || /^RIFF.{4}WEBP/s.test(head)) return [MIN_PIXELS, MIN_SIDE];
  return undefined;
}

/** From the frame header, which stands somewhere among the segments. */
function jpegPixels(bytes: Buffer): [number, number] | undefined {
  for (let at = 2; at + 9 < bytes.length && bytes[at] === 0xff;) {
    const marker = bytes[at + 1]!;
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame) return [bytes.readUInt16BE(at + 7), bytes.readUInt16BE(at + 5)];
    at += 2 + bytes.readUInt16BE(at + 2);
  }
  return undefined;
}

const MAX_PICTURES = 20;
const MAX_BYTES = 32 * 1_048_576;
const MIN_BYTES = 64;
/** A line of small print, a few words long. */
const MIN_SIDE = 24;
const MIN_PIXELS = 12_000;
