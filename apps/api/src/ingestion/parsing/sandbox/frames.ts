import type { Writable } from 'node:stream';

/** What is sent over the pipe between parser and service: a small JSON head, and bytes. */
export interface Frame {
  head: Record<string, unknown>;
  body: Buffer;
}

/** Puts several pieces into one body, and their lengths into the head. */
export function withSections(head: Record<string, unknown>, sections: readonly Uint8Array[]) {
  return { head: { ...head, sections: sections.map((section) => section.length) }, body: sections };
}

/** The pieces of a body. What the head says of their lengths is not believed further than the body goes. */
export function sectionsOf({ head, body }: Frame): Buffer[] {
  const lengths = Array.isArray(head.sections) ? (head.sections as unknown[]) : [];
  let at = 0;
  return lengths.map((length) => {
    const start = at;
    at += typeof length === 'number' && length >= 0 ? Math.floor(length) : 0;
    return body.subarray(start, at);
  });
}

export class FrameTooLarge extends Error {}

const PREFIX_BYTES = 8;
const NOTHING = Buffer.alloc(0);
const MAX_HEAD_BYTES = 16_384;

/** @param body in one piece or in several, which are sent as they are */
export function encodeFrame(
  head: Record<string, unknown>,
  body: Uint8Array | readonly Uint8Array[] = [],
): Buffer[] {
  const pieces = body instanceof Uint8Array ? [body] : body;
  const headBytes = Buffer.from(JSON.stringify(head));
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32BE(headBytes.length, 0);
  prefix.writeUInt32BE(
    pieces.reduce((sum, piece) => sum + piece.length, 0),
    4,
  );
  const views = pieces.map((piece) => Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength));
  return [Buffer.concat([prefix, headBytes]), ...views];
}

/** In one system call, of which each piece would need its own. */
export function sendFrame(
  to: Writable,
  head: Record<string, unknown>,
  body?: Uint8Array | readonly Uint8Array[],
): void {
  to.cork();
  for (const piece of encodeFrame(head, body)) to.write(piece);
  to.uncork();
}

/** Puts frames together from the chunks of a pipe. A body has memory of its own, which whoever gets it may keep. */
export class FrameReader {
  private start: Buffer = NOTHING;
  private head: Frame['head'] | undefined;
  private body: Buffer = NOTHING;
  private filled = 0;

  constructor(private readonly maxBodyBytes: number) {}

  /** @throws FrameTooLarge as soon as a frame announces more than is allowed */
  read(chunk: Buffer): Frame[] {
    const frames: Frame[] = [];
    let rest = chunk;
    for (;;) {
      rest = this.head ? this.fill(rest) : this.begin(rest);
      if (!this.head || this.filled < this.body.length) return frames;
      frames.push({ head: this.head, body: this.body });
      this.head = undefined;
    }
  }

  /** Reads the head, when all of it is there. Returns what stands behind it. */
  private begin(chunk: Buffer): Buffer {
    this.start = this.start.length === 0 ? chunk : Buffer.concat([this.start, chunk]);
    if (this.start.length < PREFIX_BYTES) return NOTHING;
    const headBytes = this.start.readUInt32BE(0);
    const bodyBytes = this.start.readUInt32BE(4);
    if (headBytes > MAX_HEAD_BYTES || bodyBytes > this.maxBodyBytes) throw new FrameTooLarge();
    const end = PREFIX_BYTES + headBytes;
    if (this.start.length < end) return NOTHING;
    this.head = JSON.parse(this.start.toString('utf8', PREFIX_BYTES, end)) as Frame['head'];
    const rest = this.start.subarray(end);
    this.start = NOTHING;
    // Of its own and exactly as long, so that a parser can take it over without a copy.
    this.body = Buffer.from(new ArrayBuffer(bodyBytes));
    this.filled = 0;
    return this.fill(rest);
  }

  private fill(chunk: Buffer): Buffer {
    const taken = chunk.copy(this.body, this.filled);
    this.filled += taken;
    return chunk.subarray(taken);
  }
}
