import { crc32, deflateRawSync } from 'node:zlib';

export interface ZipFileEntry {
  name: string;
  content?: string | Uint8Array;
  /** Not compressed, as the first entry of a book is. */
  stored?: boolean;
  /** What the file claims instead of the truth. */
  claimedBytes?: number;
}

/** A small ZIP file, well-formed unless an entry claims otherwise. */
export function zipFile(entries: readonly ZipFileEntry[] | Record<string, string | Uint8Array>): Buffer {
  const list: readonly ZipFileEntry[] = Array.isArray(entries)
    ? (entries as readonly ZipFileEntry[])
    : Object.entries(entries as Record<string, string>).map(([name, content]) => ({ name, content }));
  const bodies: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, content = 'x', stored = false, claimedBytes } of list) {
    const bytes = Buffer.from(content as Uint8Array);
    const packed = stored ? bytes : deflateRawSync(bytes);
    const encodedName = Buffer.from(name);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(stored ? 0 : 8, 4);
    common.writeUInt32LE(crc32(bytes), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(claimedBytes ?? bytes.length, 18);
    common.writeUInt16LE(encodedName.length, 22);
    const body = Buffer.concat([Buffer.from('PK\u0003\u0004'), common, encodedName, packed]);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(offset, 10);
    directory.push(Buffer.from('PK\u0001\u0002'), Buffer.from([20, 0]), common, rest, encodedName);
    bodies.push(body);
    offset += body.length;
  }
  const headers = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\u0005\u0006');
  end.writeUInt16LE(list.length, 8);
  end.writeUInt16LE(list.length, 10);
  end.writeUInt32LE(headers.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...bodies, headers, end]);
}
