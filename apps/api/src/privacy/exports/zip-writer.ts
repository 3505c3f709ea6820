import { once } from 'node:events';
import { crc32, createDeflateRaw } from 'node:zlib';

/** Where the bytes go; it resolves when more can be taken. */
export type WriteBytes = (bytes: Uint8Array) => Promise<void>;

interface Entry {
  name: Buffer;
  crc: number;
  packed: bigint;
  size: bigint;
  offset: bigint;
}

const LOCAL = 0x04034b50;
const DESCRIPTOR = 0x08074b50;
const CENTRAL = 0x02014b50;
const END_64 = 0x06064b50;
const LOCATOR_64 = 0x07064b50;
const END = 0x06054b50;
/** 4.5: the first version of the format that knows sizes of 64 bits. */
const VERSION = 45;
/** Sizes follow the content (bit 3), names are UTF-8 (bit 11). */
const FLAGS = (1 << 3) | (1 << 11);
const DEFLATED = 8;
/** January 1, 1980: the earliest date of the format. When something was made stands in the data. */
const DOS_DATE = 0x21;
/** Says that the number stands in the field for 64 bits. */
const SEE_64 = 0xffffffff;
const SEE_64_SHORT = 0xffff;
const FIELD_64 = 1;

/**
 * Writes a ZIP archive (APPNOTE 6.3.10, with ZIP64) from beginning to end: nothing is known of an entry before it has been
 * written, and nothing of it is kept but its place.
 */
export class ZipWriter {
  private readonly entries: Entry[] = [];
  private offset = 0n;

  constructor(private readonly out: WriteBytes) {}

  /** @param name relative, with `/` between folders */
  async add(name: string, content: AsyncIterable<Uint8Array | string>): Promise<void> {
    const entry: Entry = { name: Buffer.from(name), crc: 0, packed: 0n, size: 0n, offset: this.offset };
    await this.write(localHeader(entry));
    const deflate = createDeflateRaw();
    const left = new AbortController();
    const feeding = feed(entry, content, deflate, left.signal).catch(
      (error: Error) => void deflate.destroy(error),
    );
    try {
      for await (const bytes of deflate as AsyncIterable<Buffer>) {
        entry.packed += BigInt(bytes.byteLength);
        await this.write(bytes);
      }
    } finally {
      // Whoever feeds must not wait for a reader that is gone.
      left.abort();
      await feeding;
    }
    await this.write(descriptor(entry));
    this.entries.push(entry);
  }

  async finish(): Promise<void> {
    const start = this.offset;
    for (const entry of this.entries) await this.write(centralHeader(entry));
    const size = this.offset - start;
    await this.write(endOf(BigInt(this.entries.length), { start, size }));
  }

  private async write(bytes: Uint8Array): Promise<void> {
    this.offset += BigInt(bytes.byteLength);
    await this.out(bytes);
  }
}

async function feed(
  entry: Entry,
  content: AsyncIterable<Uint8Array | string>,
  deflate: ReturnType<typeof createDeflateRaw>,
  left: AbortSignal,
): Promise<void> {
  for await (const piece of content) {
    const bytes = typeof piece === 'string' ? Buffer.from(piece) : piece;
    entry.crc = crc32(bytes, entry.crc);
    entry.size += BigInt(bytes.byteLength);
    if (!deflate.write(bytes)) await once(deflate, 'drain', { signal: left });
  }
  deflate.end();
}

/** Numbers in the order and width of the format, least significant byte first. */
function packed(...numbers: [bytes: 2 | 4 | 8, value: number | bigint][]): Buffer {
  return Buffer.concat(
    numbers.map(([width, value]) => {
      const field = Buffer.alloc(width);
      if (width === 8) field.writeBigUInt64LE(BigInt(value));
      else field.writeUIntLE(Number(value), 0, width);
      return field;
    }),
  );
}

function localHeader({ name }: Entry): Buffer {
  const sizes = packed([2, FIELD_64], [2, 16], [8, 0], [8, 0]);
  const header = packed(
    [4, LOCAL],
    [2, VERSION],
    [2, FLAGS],
    [2, DEFLATED],
    [2, 0],
    [2, DOS_DATE],
    [4, 0],
    [4, SEE_64],
    [4, SEE_64],
    [2, name.length],
    [2, sizes.length],
  );
  return Buffer.concat([header, name, sizes]);
}

const descriptor = ({ crc, packed: packedSize, size }: Entry) =>
  packed([4, DESCRIPTOR], [4, crc], [8, packedSize], [8, size]);

function centralHeader({ name, crc, packed: packedSize, size, offset }: Entry): Buffer {
  const sizes = packed([2, FIELD_64], [2, 24], [8, size], [8, packedSize], [8, offset]);
  const header = packed(
    [4, CENTRAL],
    [2, VERSION],
    [2, VERSION],
    [2, FLAGS],
    [2, DEFLATED],
    [2, 0],
    [2, DOS_DATE],
    [4, crc],
    [4, SEE_64],
    [4, SEE_64],
    [2, name.length],
    [2, sizes.length],
    [2, 0],
    [2, 0],
    [2, 0],
    [4, 0],
    [4, SEE_64],
  );
  return Buffer.concat([header, name, sizes]);
}

function endOf(entries: bigint, directory: { start: bigint; size: bigint }): Buffer {
  const end64 = packed(
    [4, END_64],
    [8, 44],
    [2, VERSION],
    [2, VERSION],
    [4, 0],
    [4, 0],
    [8, entries],
    [8, entries],
    [8, directory.size],
    [8, directory.start],
  );
  const locator = packed([4, LOCATOR_64], [4, 0], [8, directory.start + directory.size], [4, 1]);
  const end = packed(
    [4, END],
    [2, 0],
    [2, 0],
    [2, SEE_64_SHORT],
    [2, SEE_64_SHORT],
    [4, SEE_64],
    [4, SEE_64],
    [2, 0],
  );
  return Buffer.concat([end64, locator, end]);
}
