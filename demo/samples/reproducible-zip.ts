/** 1 January 1980, 00:00, in the DOS format that ZIP entries carry. */
const DOS_EPOCH = 0x0021_0000;
const LOCAL_HEADER = { signature: 0x0403_4b50, timeOffset: 10 } as const;
const CENTRAL_HEADER = { signature: 0x0201_4b50, timeOffset: 12, localOffset: 42, length: 46 } as const;
const END_RECORD = { signature: 0x0605_4b50, entries: 10, directoryOffset: 16, length: 22 } as const;

/**
 * The same archive with every entry's time set to the DOS epoch, so that equal contents are equal bytes.
 * @throws Error when it has an archive comment or is not a ZIP archive
 */
export function withFixedTimes(zip: Buffer): Buffer {
  const bytes = Buffer.from(zip);
  const end = bytes.length - END_RECORD.length;
  expectSignature(bytes, end, END_RECORD.signature);
  let at = bytes.readUInt32LE(end + END_RECORD.directoryOffset);
  for (let entry = 0; entry < bytes.readUInt16LE(end + END_RECORD.entries); entry += 1) {
    expectSignature(bytes, at, CENTRAL_HEADER.signature);
    bytes.writeUInt32LE(DOS_EPOCH, at + CENTRAL_HEADER.timeOffset);
    const local = bytes.readUInt32LE(at + CENTRAL_HEADER.localOffset);
    expectSignature(bytes, local, LOCAL_HEADER.signature);
    bytes.writeUInt32LE(DOS_EPOCH, local + LOCAL_HEADER.timeOffset);
    const [name, extra, comment] = [28, 30, 32].map((offset) => bytes.readUInt16LE(at + offset));
    at += CENTRAL_HEADER.length + (name ?? 0) + (extra ?? 0) + (comment ?? 0);
  }
  return bytes;
}

function expectSignature(bytes: Buffer, at: number, signature: number): void {
  if (at < 0 || bytes.readUInt32LE(at) !== signature) throw new Error('Not a ZIP archive without a comment');
}
