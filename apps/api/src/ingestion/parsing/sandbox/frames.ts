/** What is sent over the pipe between parser and service: a small JSON head, and bytes. */
export interface Frame {
  head: Record<string, unknown>;
  body: Buffer;
}

export class FrameTooLarge extends Error {}

const PREFIX_BYTES = 8;
const MAX_HEAD_BYTES = 16_384;

export function encodeFrame(head: Record<string, unknown>, body: Uint8Array = new Uint8Array()): Buffer[] {
  const headBytes = Buffer.from(JSON.stringify(head));
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32BE(headBytes.length, 0);
  prefix.writeUInt32BE(body.length, 4);
  return [prefix, headBytes, Buffer.from(body.buffer, body.byteOffset, body.byteLength)];
}

/** Puts frames together from the chunks of a pipe. */
export class FrameReader {
  private chunks: Buffer[] = [];
  private bytes = 0;

  constructor(private readonly maxBodyBytes: number) {}

  /** @throws FrameTooLarge as soon as a frame announces more than is allowed */
  read(chunk: Buffer): Frame[] {
    this.chunks.push(chunk);
    this.bytes += chunk.length;
    const frames: Frame[] = [];
    for (let frame = this.next(); frame; frame = this.next()) frames.push(frame);
    return frames;
  }

  private next(): Frame | undefined {
    if (this.bytes < PREFIX_BYTES) return undefined;
    const prefix = this.chunks[0]!.length >= PREFIX_BYTES ? this.chunks[0]! : this.join();
    const headBytes = prefix.readUInt32BE(0);
    const bodyBytes = prefix.readUInt32BE(4);
    if (headBytes > MAX_HEAD_BYTES || bodyBytes > this.maxBodyBytes) throw new FrameTooLarge();
    const total = PREFIX_BYTES + headBytes + bodyBytes;
    if (this.bytes < total) return undefined;
    const all = this.join();
    this.chunks = [all.subarray(total)];
    this.bytes -= total;
    const head = JSON.parse(all.toString('utf8', PREFIX_BYTES, PREFIX_BYTES + headBytes)) as Frame['head'];
    return { head, body: all.subarray(PREFIX_BYTES + headBytes, total) };
  }

  private join(): Buffer {
    const all = Buffer.concat(this.chunks, this.bytes);
    this.chunks = [all];
    return all;
  }
}
